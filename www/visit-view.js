/** Shows the tweets read in this visit. */
import { element } from './dom.js';
import { typeWords } from './fine-types.js';
import { FOREIGN, say, word } from './wording.js';

/** Characters of a tweet that its entry shows, and names. */
const EXCERPT = 160;
const NAMES = 8;

/** @typedef {import('./visit.js').Read} Read */

/**
 * @param {{section: HTMLElement, count: HTMLElement, list: HTMLElement}} parts
 * @param {Read[]} all the newest last
 * @param {(read: Read) => Read['recognition']} wanted an answer as it is to be shown
 * @param {(read: Read) => void} onReopen
 */
export function drawVisit({ section, count, list }, all, wanted, onReopen) {
  section.hidden = !all.length;
  word(count, 'visit', { count: all.length });
  const items = all.toReversed().map((read) => {
    const { text, images } = read;
    const { entities } = wanted(read);
    const shown = text.length > EXCERPT ? `${text.slice(0, EXCERPT).toWellFormed()}…` : text;
    const names = entities.slice(0, NAMES).map((entity) => say('visit.name', { name: text.slice(...entity.utf16), type: typeWords(entity) }));
    const found = entities.length ? `${names.join(', ')}${entities.length > NAMES ? ' …' : ''}` : say('none');
    const with_ = images.length ? ` · ${say('visit.images', { count: images.length })}` : '';
    const button = element(
      'button',
      { type: 'button' },
      element('bdi', { className: 'excerpt', ...FOREIGN }, shown),
      element('span', { className: 'quiet' }, found + with_),
    );
    button.onclick = () => onReopen(read);
    return element('li', {}, button);
  });
  list.replaceChildren(...items);
}
