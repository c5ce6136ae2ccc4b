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
  const tag = (start) => {
    const entity = entities.find(({ utf16: [from, to] }) => from <= start && start < to);
    if (!entity) return 'O';
    return `${entity.utf16[0] === start ? 'B' : 'I'}-${entity.type}`;
  };
  const borders = [...new Set([0, ...entities.flatMap(({ utf16 }) => utf16), text.length])].sort((a, b) => a - b);
  const lines = [];
  for (let i = 1; i < borders.length; i++) {
    for (const { 0: word, index } of text.slice(borders[i - 1], borders[i]).matchAll(/\S+/gu)) {
      lines.push(`${word} ${tag(borders[i - 1] + index)}`);
    }
  }
  return lines.length ? `${lines.join('\n')}\n` : '';
}
