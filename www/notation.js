/** An answer as text, for copying. */

/**
 * JSON of the tweet and its entities.
 * @param {string} text
 * @param {import('./mner.js').Recognition} recognition
 */
export function toJson(text, recognition) {
  return JSON.stringify({ text, ...recognition }, null, 2);
}

/**
 * CoNLL with BIO tags in two columns, or in four as `mner evaluate` reads them too: words end at white space and where an entity begins or ends.
 * A tweet without words gives an empty string.
 * @param {string} text
 * @param {import('./mner.js').Recognition} recognition
 * @param {boolean} [kinds] whether there are two columns between word and tag: `-`, and the fine type of the word's entity, `-` where there is
 *     none
 */
export function toConll(text, { entities }, kinds = false) {
  const begun = new Map(entities.map((entity) => [entity.utf16[0], entity]));
  const borders = [...new Set([0, ...entities.flatMap(({ utf16 }) => utf16), text.length])].sort((a, b) => a - b);
  const lines = [];
  for (let i = 1; i < borders.length; i++) {
    // Between two borders lies a whole entity or none.
    const entity = begun.get(borders[i - 1]);
    // White space would make two columns of one.
    const kind = kinds ? ` - ${entity?.kind?.name.replace(/\s+/gu, '_') || '-'}` : '';
    for (const { 0: word, index } of text.slice(borders[i - 1], borders[i]).matchAll(/\S+/gu)) {
      lines.push(`${word}${kind} ${entity ? `${index ? 'I' : 'B'}-${entity.type}` : 'O'}`);
    }
  }
  return lines.length ? `${lines.join('\n')}\n` : '';
}
