/** Draws what was seen in an image: its objects, the lines of its text, and where an entity's words looked. */
import { element } from './dom.js';
import { lookedAt } from './evidence.js';
import { FOREIGN, percent, say, sayWith } from './wording.js';

const SIDE = 7;
/** How dark the coldest cell gets. */
const DIM = 0.86;
/** The share of attention from which an object counts as looked at. */
const ATTENDED = 0.1;

/**
 * Frames the objects on the image and lists them in words.
 * @param {{boxes: HTMLElement, objects: HTMLElement}} parts
 * @param {import('./engine.d.ts').ImageEvidence} [image]
 */
export function drawObjects({ boxes, objects }, image) {
  const seen = image?.objects ?? [];
  boxes.replaceChildren(
    ...seen.map(({ name, score, box }) => {
      const node = framed(box, image);
      node.append(element('span', {}, element('bdi', FOREIGN, name), ` ${percent(score)}`));
      // The label keeps inside the image.
      node.classList.toggle('low', box[1] < 0.08 * image.height);
      node.classList.toggle('right', box[0] > 0.6 * image.width);
      return node;
    }),
  );
  objects.replaceChildren(
    ...seen.map(({ name, score }) => element('li', {}, element('bdi', FOREIGN, name), ' ', element('b', {}, percent(score)))),
  );
}

/**
 * Frames the lines of a text on its image, and above them where a name stands that was chosen.
 * @param {HTMLElement} boxes
 * @param {import('./engine.d.ts').ImageText} text
 * @param {{bounds: [number, number, number, number][]}} [name]
 */
export function drawLines(boxes, text, name) {
  const lines = text.lines.map(({ bounds }) => framed(bounds, text));
  for (const line of lines) line.classList.toggle('faint', Boolean(name));
  const places = (name?.bounds ?? []).map((bounds) => framed(bounds, text));
  for (const place of places) place.classList.add('attended');
  boxes.replaceChildren(...lines, ...places);
}

/** A frame around a box of an image. */
function framed(/** @type {[number, number, number, number]} */ [x1, y1, x2, y2], { width, height }) {
  const node = element('div', { className: 'box' });
  const shares = { left: x1 / width, top: y1 / height, width: (x2 - x1) / width, height: (y2 - y1) / height };
  for (const [side, share] of Object.entries(shares)) node.style[side] = `${100 * share}%`;
  return node;
}

/** How wide to show an image: all there is, but not taller than a screen nor enlarged beyond recognition. */
export function widthOf({ width, height }) {
  return `min(100%, ${(30 * width) / height}rem, ${3 * width}px)`;
}

/**
 * Lights up what an entity's words looked at, or takes the light away again.
 * @param {{heat: HTMLCanvasElement, boxes: HTMLElement, looked: HTMLElement}} parts
 * @param {{name: string, evidence?: import('./engine.d.ts').EntityEvidence} | undefined} entity
 * @param {import('./engine.d.ts').ImageEvidence} [image]
 */
export function drawHeat({ heat, boxes, looked }, entity, image) {
  const evidence = entity?.evidence;
  heat.hidden = !evidence;
  const attended = (evidence?.objects ?? []).map((share) => share >= ATTENDED);
  [...boxes.children].forEach((box, i) => {
    box.classList.toggle('attended', Boolean(attended[i]));
    box.classList.toggle('faint', attended.includes(true) && !attended[i]);
  });
  if (!evidence) {
    looked.textContent = '';
    return;
  }
  const most = Math.max(...evidence.heat, Number.MIN_VALUE);
  heat.width = heat.height = SIDE;
  const context = heat.getContext('2d');
  const pixels = context.createImageData(SIDE, SIDE);
  // The root, because light is seen by its ratio: half the attention shall not look like none.
  const dark = (share) => 255 * DIM * (1 - Math.sqrt(share / most));
  evidence.heat.forEach((share, cell) => pixels.data.set([8, 10, 28, dark(share)], 4 * cell));
  context.putImageData(pixels, 0, 0);
  const [first, second] = lookedAt(evidence, image?.objects ?? []);
  const values = { name: element('bdi', { className: 'text', ...FOREIGN }, say('quoted', { words: entity.name })), ...part('first', first) };
  looked.replaceChildren(...(second ? sayWith('looked.two', { ...values, ...part('second', second) }) : sayWith('looked', values)));
}

/** A place or an object as what stands in a sentence, and its share. */
function part(which, /** @type {ReturnType<typeof lookedAt>[number]} */ { place, object, share }) {
  const words = object === undefined ? say(`place.${place}`) : element('span', {}, ...sayWith('place.object', { name: element('bdi', FOREIGN, object) }));
  return { [which]: words, [`${which}_share`]: percent(share) };
}
