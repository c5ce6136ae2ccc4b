/**
 * Draws the names of an answer: the tweet with its names marked, and the same as a list.
 *
 * @typedef {import('./engine.d.ts').Entity} Entity
 */
import { element } from './dom.js';
import { kindOf, kindSentences, kindWords, typeWords } from './fine-types.js';
import { FOREIGN, percent, say } from './wording.js';

/** Characters of a text that are laid out as one: browsers take time with the square of that. */
const STRETCH = 4000;
/** Entries of the list that are there at once. */
const PAGE = 200;
/** From here on a name is marked as shown by the image. */
const SHOWN = 0.5;

/**
 * Fills `target` with the tweet. Its text content is exactly the tweet; labels are drawn by the style sheet.
 * Every name is a link to its entry in `list`. A long text comes in stretches, each a block of its own.
 * @param {HTMLElement} target
 * @param {string} text
 * @param {Entity[]} entities
 * @param {HTMLElement} list
 */
export function drawTweet(target, text, entities, list) {
  const stretches = [];
  let nodes = [];
  let [begin, at] = [0, 0];
  const close = () => {
    stretches.push(nodes);
    nodes = [];
    begin = at;
  };
  // What lies between names, broken where there is white space.
  const plain = (end) => {
    while (end - begin > STRETCH) {
      const cut = breakIn(text, Math.max(at, begin + STRETCH / 2), begin + STRETCH > at ? Math.min(end, begin + STRETCH) : end);
      if (cut === undefined) break;
      if (cut > at) nodes.push(text.slice(at, cut));
      at = cut;
      close();
    }
    if (end > at) nodes.push(text.slice(at, end));
    at = end;
  };
  entities.forEach(({ type, kind, utf16: [start, end], confidence }, i) => {
    plain(start);
    const name = text.slice(start, end);
    const link = element('a', { className: `name ${type}`, href: `#${list.id}-${i}` }, element('span', {}, name));
    link.dataset.entity = String(i);
    link.dataset.label = `${type} ${percent(confidence)}`;
    link.setAttribute('aria-label', `${name}, ${typeWords({ type, kind })}, ${percent(confidence)}`);
    nodes.push(element('mark', {}, link));
    at = end;
  });
  plain(text.length);
  close();
  target.replaceChildren(...(stretches.length > 1 ? stretches.map((all) => element('span', { className: 'stretch' }, ...all)) : stretches[0]));
}

/** Where a text may be broken: after the last line break, or else the last white space, from `from` to `to`. */
function breakIn(text, from, to) {
  const part = text.slice(from, to);
  const line = part.lastIndexOf('\n');
  const found = line < 0 ? part.search(/\s\S*$/u) : line;
  return found < 0 ? undefined : from + found + 1;
}

/**
 * Fills `target` (an `ol`) with one entry a name: type and confidence, and on demand the rest. Of very many names, the list
 * holds a page at a time, the one with name `i`; its entries keep their numbers.
 * @param {HTMLOListElement} target
 * @param {string} text
 * @param {Entity[]} entities
 * @param {{part: HTMLElement, range: HTMLElement, back: HTMLButtonElement, on: HTMLButtonElement}} pager leads to the others
 */
export function drawList(target, text, entities, pager, i = 0) {
  const from = i - (i % PAGE);
  const to = Math.min(from + PAGE, entities.length);
  pager.part.hidden = entities.length <= PAGE;
  pager.range.textContent = say('names.range', { from: from + 1, to, all: entities.length });
  pager.back.disabled = from === 0;
  pager.on.disabled = to === entities.length;
  pager.back.onclick = () => drawList(target, text, entities, pager, from - PAGE);
  pager.on.onclick = () => drawList(target, text, entities, pager, to);
  target.start = from + 1;
  target.classList.toggle('fine-types', entities.some((entity) => kindOf(entity) !== undefined));
  target.replaceChildren(
    ...entities.slice(from, to).map(({ type, kind, utf16, confidence, runner_up: other, user_name: userName, seen }, k) => {
      const mark = (seen ?? 0) < SHOWN ? [] : [' ', element('span', { className: 'shown' }, say('name.seen.mark'))];
      const summary = element(
        'summary',
        {},
        chip({ type, kind }),
        element('span', {}, element('bdi', { className: 'text', ...FOREIGN }, text.slice(...utf16)), ...mark),
        element('span', { className: 'confidence' }, percent(confidence)),
      );
      const shown = seen === undefined ? [] : [say('name.seen', { share: percent(seen) })];
      const fine = kindSentences({ type, kind });
      const next = say('name.next', { type: say(`type.${other.type}`), share: percent(other.probability) });
      const place = say(userName ? 'name.place.user' : 'name.place', { from: utf16[0], to: utf16[1] });
      const details = element(
        'details',
        { id: `${target.id}-${from + k}`, name: target.id },
        summary,
        element('p', {}, [...fine, ...shown, next, place].join(' ')),
      );
      details.dataset.entity = String(from + k);
      return element('li', {}, details);
    }),
  );
}

/** The words for an entity's type, in its colour. */
export function chip(/** @type {Pick<Entity, 'type' | 'kind'>} */ { type, kind }) {
  const fine = kindOf({ type, kind });
  const more = fine === undefined ? [] : [' ', element('span', { className: 'fine' }, kindWords(fine))];
  return element('span', { className: `type ${type}` }, say(`type.${type}`), ...more);
}

/** Names that are read out. */
const TOLD = 10;

/** The answer in one sentence, for the live region. */
export function sentence(text, /** @type {Entity[]} */ entities) {
  if (!entities.length) return say('live.none');
  const names = entities.slice(0, TOLD).map((entity) => say('live.name', { name: text.slice(...entity.utf16), type: typeWords(entity) }));
  const more = entities.length - names.length;
  const list = names.join('; ');
  return say('live.found', { count: entities.length, names: more ? say('live.more', { names: list, count: more }) : list });
}

/**
 * Lets the names of a text and the entries of its list lead to each other.
 * @param {{marked: HTMLElement, names: HTMLElement}} parts the text and the list, as drawn here
 * @param {(i: number) => void} list draws the page of the list that has name `i`
 * @param {(i: number | undefined) => void} choose is told which name is chosen: that of the entry that was opened
 */
export function leadNames({ marked, names }, list, choose) {
  marked.onclick = (event) => {
    const link = /** @type {Element} */ (event.target).closest('a');
    if (!link) return;
    event.preventDefault();
    const i = Number(link.dataset.entity);
    if (!names.querySelector(`[data-entity="${i}"]`)) list(i);
    openEntry(names, i);
  };
  /** @type {number | undefined} */
  let chosen;
  // Opening an entry of the list chooses it, closing it leaves none; the event does not bubble.
  names.addEventListener(
    'toggle',
    ({ target }) => {
      const { open, dataset } = /** @type {HTMLDetailsElement} */ (target);
      const i = Number(dataset.entity);
      if (!open && chosen !== i) return;
      chosen = open ? i : undefined;
      choose(chosen);
    },
    true,
  );
}

/** Shows which of the names of a text is chosen. */
export function markChosen(marked, /** @type {number | undefined} */ i) {
  for (const link of marked.querySelectorAll('a')) link.classList.toggle('chosen', Number(link.dataset.entity) === i);
}

/** Opens entry `i` of the list, which must hold it, and moves the focus there, scrolling no more than needed. */
function openEntry(list, i) {
  const details = list.querySelector(`#${list.id}-${i}`);
  details.open = true;
  const summary = details.querySelector('summary');
  summary.focus({ preventScroll: true });
  details.scrollIntoView({ block: 'nearest' });
}
