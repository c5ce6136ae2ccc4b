/**
 * What an answer says about the image, worked out from a `Recognition`; no DOM here.
 *
 * @typedef {import('./engine.d.ts').Entity} Entity
 * @typedef {import('./engine.d.ts').ImageEvidence} ImageEvidence
 * @typedef {{entities: Entity[]}} Named an answer, as far as its names go
 * @typedef {{before?: Entity, after?: Entity}} Pair a name without and with the image
 */

/** The grains of an image, in the order they are shown in. */
const GRAINS = /** @type {const} */ (['global', 'object', 'semantic', 'spatial']);

/**
 * How relevant the image was: the mean of the grains that are there. A grain that is absent reports exactly 0.
 * @param {ImageEvidence} [image]
 * @returns {{overall: number, level: 'high' | 'part' | 'low', grains: {grain: typeof GRAINS[number], value: number}[]} | undefined}
 *     `undefined` where the model does not measure relevance
 */
export function relevanceOf(image) {
  if (!image?.relevance) return undefined;
  const grains = GRAINS.map((grain) => ({ grain, value: image.relevance[grain] ?? 0 })).filter(({ value }) => value > 0);
  if (!grains.length) return undefined;
  const overall = grains.reduce((sum, { value }) => sum + value, 0) / grains.length;
  const level = overall >= 2 / 3 ? 'high' : overall >= 1 / 3 ? 'part' : 'low';
  return { overall, level, grains };
}

/**
 * What the image changed, in the order of the text. Entities of the two answers that overlap belong together.
 * @param {Named} base
 * @param {Named} full
 * @returns {Pair[]} pairs of entities that differ in span or type, or have no partner
 */
export function changes(base, full) {
  // Both are in the order of the text and do not overlap in themselves, so one walk finds all that belong together.
  /** @type {Pair[]} */
  const pairs = [];
  let next = 0;
  for (const after of full.entities) {
    while (base.entities[next]?.utf16[1] <= after.utf16[0]) pairs.push({ before: base.entities[next++], after: undefined });
    const before = base.entities[next] && overlap(base.entities[next], after) ? base.entities[next++] : undefined;
    pairs.push({ before, after });
  }
  for (const before of base.entities.slice(next)) pairs.push({ before, after: undefined });
  const start = (/** @type {Pair} */ { before, after }) => (after ?? before).utf16[0];
  return pairs.filter(({ before, after }) => !before || !after || !alike(before, after)).sort((a, b) => start(a) - start(b));
}

/**
 * Of the entities that both answers have, the one whose confidence moved most.
 * @param {Named} base
 * @param {Named} full
 * @returns {Pair | undefined}
 */
export function mostMoved(base, full) {
  const keyOf = ({ type, utf16 }) => `${type} ${utf16}`;
  const known = new Map(base.entities.map((entity) => [keyOf(entity), entity]));
  return full.entities
    .map((after) => ({ before: known.get(keyOf(after)), after }))
    .filter(({ before }) => before)
    .sort((a, b) => moved(b) - moved(a))[0];
}

/**
 * By how much a pair's confidence moved.
 * @param {Pair} pair
 */
export function moved({ before, after }) {
  return Math.abs(after.confidence - before.confidence);
}

/** From here on a tag of the image is worth a word. */
const CERTAIN = 0.3;

/**
 * The tags of an image that are likely enough to be of use.
 * @param {ImageEvidence} [image]
 */
export function certainTags(image) {
  return (image?.tags ?? []).filter(({ probability }) => probability >= CERTAIN);
}

/**
 * The answer without the names that are user names.
 * @template {Named} Answer
 * @param {Answer} [recognition]
 */
export function withoutUserNames(recognition) {
  return recognition && { ...recognition, entities: recognition.entities.filter((entity) => !entity.user_name) };
}

const SIDE = 7;
/** The ninths of an image, row by row. */
const NINTHS = /** @type {const} */ (['top-left', 'top', 'top-right', 'left', 'middle', 'right', 'bottom-left', 'bottom', 'bottom-right']);
/** @typedef {typeof NINTHS[number] | 'whole'} Place */

/**
 * Where an entity's words looked most: the part of the image that stands out and the foremost object, with
 * their shares of the attention, the larger first.
 * @param {{heat: number[], objects: number[]}} evidence
 * @param {{name: string}[]} objects
 * @returns {{place?: Place, object?: string, share: number}[]} one or two
 */
export function lookedAt({ heat, objects: shares = [] }, objects) {
  const all = heat.reduce((sum, share) => sum + share, 0);
  const even = Math.max(...heat) < (2 * all) / heat.length;
  const place = even ? { place: /** @type {const} */ ('whole'), share: all } : densest(heat);
  const best = shares.indexOf(Math.max(...shares));
  const thing = objects[best] && { object: objects[best].name, share: shares[best] };
  return [place, thing].filter(Boolean).sort((a, b) => b.share - a.share);
}

/** The ninth of the image (two, three and two cells to a side) with most attention to the cell. */
function densest(heat) {
  const third = (i) => (i < 2 ? 0 : i < 5 ? 1 : 2);
  const parts = NINTHS.map((place) => ({ place, share: 0, cells: 0 }));
  heat.forEach((share, cell) => {
    const part = parts[3 * third(Math.floor(cell / SIDE)) + third(cell % SIDE)];
    part.share += share;
    part.cells++;
  });
  return parts.sort((a, b) => b.share / b.cells - a.share / a.cells)[0];
}

function overlap({ utf16: [a, b] }, { utf16: [c, d] }) {
  return a < d && c < b;
}

/** Whether two names are the same span and type. */
function alike(a, b) {
  return a.type === b.type && a.utf16[0] === b.utf16[0] && a.utf16[1] === b.utf16[1];
}
