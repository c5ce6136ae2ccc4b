/** Draws what the image contributed: its relevance, its tags, and the answer without it beside the answer with it. */
import { element } from './dom.js';
import { certainTags, changes, mostMoved, moved, relevanceOf } from './evidence.js';
import { chip } from './view.js';
import { FOREIGN, decimal, percent, say, sayWith } from './wording.js';

/** A change of confidence that is worth a word. */
const NOTABLE = 0.01;
/** Changes that are told one by one. */
const ROWS = 100;

/**
 * @typedef {import('./mner.js').Recognition} Recognition
 * @typedef {'image' | 'said' | 'both'} Without
 */

/**
 * @param {{relevance: HTMLElement, tags: HTMLElement, difference: HTMLElement}} parts
 * @param {object} answer
 * @param {string} answer.text the tweet
 * @param {Recognition} answer.full the answer with the image
 * @param {Recognition} [answer.base] the answer without it, once it is there
 * @param {Without} answer.without what `base` was computed without
 * @param {boolean} answer.asContext whether the tags were read as part of the text
 */
export function drawContribution(parts, { text, full, base, without, asContext }) {
  const relevance = relevanceOf(full.picture);
  parts.relevance.replaceChildren(...(relevance ? gauge(relevance) : []));
  const tags = certainTags(full.picture);
  parts.tags.hidden = !full.picture?.tags.length;
  parts.tags.replaceChildren(
    element('b', {}, say(asContext ? 'tags.context' : 'tags.seen')),
    ' ',
    tags.length
      ? element('span', FOREIGN, tags.map(({ name, probability }) => `${name} (${percent(probability)})`).join(', '))
      : say(asContext ? 'tags.context.none' : 'tags.seen.none'),
  );
  const pairs = base ? changes(base, full) : [];
  parts.difference.replaceChildren(...(base ? difference(text, base, full, pairs, without) : []));
  // What changed comes first; that nothing did is the last thing to know. The order is that of the document, for who listens.
  if (pairs.length) parts.relevance.before(parts.difference);
  else parts.tags.after(parts.difference);
}

function gauge(/** @type {ReturnType<typeof relevanceOf>} */ { overall, level, grains }) {
  const head = element(
    'p',
    { className: 'verdict' },
    element('b', { className: 'number' }, decimal(overall, 2)),
    element('span', {}, ...sayWith('relevance', { level: element('b', {}, say(`relevance.${level}`)) })),
  );
  // It is learnt from names alone, so it follows what images are worth more than whether this one fits.
  const note = element('p', { className: 'caveat' }, say('relevance.caveat'));
  const rows = grains.map(({ grain, value }) => {
    const filled = element('span');
    filled.style.width = `${100 * value}%`;
    const bar = element('span', { className: 'bar' }, filled);
    return element('li', {}, element('span', {}, say(`grain.${grain}`)), bar, element('span', { className: 'number' }, decimal(value, 2)));
  });
  return [head, note, element('ul', { className: 'grains', ariaLabel: say('relevance.grains') }, ...rows)];
}

function difference(text, base, full, pairs, /** @type {Without} */ without) {
  if (!pairs.length) return [element('p', {}, same(text, base, full, without))];
  const cell = (tag, ...content) => element(tag, {}, ...content);
  const reading = (entity, other) => {
    if (!entity) return [say('difference.none')];
    const shifted = other && entity.utf16.join() !== other.utf16.join();
    const name = shifted ? [element('bdi', FOREIGN, say('quoted', { words: text.slice(...entity.utf16) })), ' '] : [];
    return [...name, chip(entity), ` ${percent(entity.confidence)}`];
  };
  const rows = pairs.slice(0, ROWS).map(({ before, after }) => {
    const head = element('th', { scope: 'row' }, element('bdi', FOREIGN, text.slice(...(after ?? before).utf16)));
    return element('tr', {}, head, cell('td', ...reading(before, after)), cell('td', ...reading(after, before)));
  });
  const titles = [say('difference.name'), say(`without.${without}`), say('difference.with')];
  const heads = titles.map((title) => element('th', { scope: 'col' }, title));
  return [
    element(
      'table',
      {},
      element('caption', {}, say(`changed.${without}`)),
      element('thead', {}, element('tr', {}, ...heads)),
      element('tbody', {}, ...rows),
    ),
    ...(pairs.length > ROWS ? [element('p', {}, say('difference.more', { count: pairs.length - ROWS }))] : []),
  ];
}

function same(text, base, full, /** @type {Without} */ kind) {
  const without = say(`without.${kind}`);
  const most = mostMoved(base, full);
  if (!most) return say('same.none', { without });
  const { before, after } = most;
  if (moved(most) < NOTABLE) return say('same.sure', { without });
  const name = say('quoted', { words: text.slice(...after.utf16) });
  return say('same.moved', { without, name, before: percent(before.confidence), after: percent(after.confidence) });
}
