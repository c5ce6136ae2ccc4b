/** The images of a tweet that has several: which one the answer is with, and what each of them does to it. */
import { element } from './dom.js';
import { changes, relevanceOf } from './evidence.js';
import { nameOf } from './image.js';
import { say } from './wording.js';

/**
 * @typedef {import('./image.js').ShownImage} ShownImage
 * @typedef {import('./mner.js').Recognition} Recognition
 */

/**
 * @param {HTMLElement} strip
 * @param {{picked: ShownImage, answer: import('./reader.js').Answer, wanted: (recognition: Recognition) => Recognition}} shown
 *     `wanted` gives an answer as it is shown
 * @param {(image: ShownImage) => void} onPick
 */
export function drawStrip(strip, { picked, answer: { base, readings }, wanted }, onPick) {
  strip.hidden = readings.length < 2;
  const list = strip.querySelector('ul');
  if (strip.hidden) {
    list.replaceChildren();
    return;
  }
  // Drawn again while somebody may be at it with the keyboard.
  const focused = [...list.querySelectorAll('button')].indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  const items = readings.map((reading, i) => {
    const { image } = reading;
    const name = say('strip.name', { number: i + 1, name: nameOf(image) });
    const button = element(
      'button',
      { type: 'button', ariaPressed: String(image === picked) },
      element('img', { src: image.url, alt: '' }),
      element('span', {}, name),
      element('span', { className: 'quiet' }, said(base, { ...reading, full: reading.full && wanted(reading.full) })),
    );
    button.onclick = () => onPick(image);
    return element('li', {}, button);
  });
  list.replaceChildren(...items);
  items[focused]?.querySelector('button').focus();
}

/** What an image does, in a few words. */
function said(base, /** @type {import('./reader.js').Reading} */ { full, problem }) {
  if (problem) return say('strip.problem');
  if (!full || !base) return say('strip.waits');
  const count = changes(base, full).length;
  const relevance = relevanceOf(full.picture);
  const changed = count ? say('strip.changes', { count }) : say('strip.same');
  return relevance ? `${say(`relevance.${relevance.level}`)}, ${changed}` : changed;
}
