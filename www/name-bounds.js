/**
 * The text of an image as one text, and where in the image the names in it stand.
 *
 * @typedef {import('./engine.d.ts').TextLine} TextLine
 * @typedef {TextLine['bounds']} Bounds
 */

/** Lines as one text: that of each, with a line break between them. */
export function joined(/** @type {TextLine[]} */ lines) {
  return lines.map(({ text }) => text).join('\n');
}

/**
 * Names of that text, each with the box of the words that it touches, one for every line that it stands in.
 * @template {{utf16: [number, number]}} Name
 * @param {Name[]} names
 * @param {TextLine[]} lines
 * @returns {(Name & {bounds: Bounds[]})[]}
 */
export function withBounds(names, lines) {
  let begin = 0;
  const placed = lines.map(({ text, words }) => {
    let at = begin;
    begin += text.length + 1;
    return words.map((word) => {
      const [from, to] = [at, at + word.text.length];
      at = to + 1;
      return { from, to, bounds: word.bounds };
    });
  });
  return names.map((name) => {
    const [start, end] = name.utf16;
    const touched = placed.map((words) => words.filter(({ from, to }) => from < end && start < to)).filter((words) => words.length);
    return { ...name, bounds: touched.map((words) => around(words.map(({ bounds }) => bounds))) };
  });
}

/** @returns {Bounds} the smallest box that holds all */
function around(/** @type {Bounds[]} */ boxes) {
  const side = (i, pick) => pick(...boxes.map((box) => box[i]));
  return [side(0, Math.min), side(1, Math.min), side(2, Math.max), side(3, Math.max)];
}
