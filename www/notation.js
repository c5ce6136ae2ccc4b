/** An answer as text, for copying. */

/** JSON of the tweet and its entities. */
export function toJson(text, recognition) {
  return JSON.stringify({ text, ...recognition }, null, 2);
}

/**
 * Two-column CoNLL with BIO tags: words end at white space and where an entity begins or ends.
 * A tweet without words gives an empty string.
 */
export function toConll(text, { entities }) {
  const begun = new Map(entities.map((entity) => [entity.utf16[0], entity]));
  const borders = [...new Set([0, ...entities.flatMap(({ utf16 }) => utf16), text.length])].sort((a, b) => a - b);
  const lines = [];
  for (let i = 1; i < borders.length; i++) {
    // Between two borders lies a whole entity or none.
    const entity = begun.get(borders[i - 1]);
    for (const { 0: word, index } of text.slice(borders[i - 1], borders[i]).matchAll(/\S+/gu)) {
      lines.push(`${word} ${entity ? `${index ? 'I' : 'B'}-${entity.type}` : 'O'}`);
    }
  }
  return lines.length ? `${lines.join('\n')}\n` : '';
}
