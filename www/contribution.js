/** Draws what the picture contributed: its relevance, its tags, and the answer without it beside the answer with it. */
import { element } from './dom.js';
import { certainTags, changes, mostMoved, moved, relevanceOf } from './evidence.js';
import { chip, percent } from './view.js';

/** A change of confidence that is worth a word. */
const NOTABLE = 0.01;
/** Changes that are told one by one. */
const ROWS = 100;

/**
 * @param {{relevance: HTMLElement, tags: HTMLElement, difference: HTMLElement}} parts
 * @param {object} answer
 * @param {string} answer.text the tweet
 * @param {object} answer.full the answer with the picture
 * @param {object} [answer.base] the answer without it, once it is there
 * @param {string} answer.without what `base` was computed without, in words
 * @param {boolean} answer.asContext whether the tags were read as part of the text
 */
export function drawContribution(parts, { text, full, base, without, asContext }) {
  const relevance = relevanceOf(full.picture);
  parts.relevance.replaceChildren(...(relevance ? gauge(relevance) : []));
  const tags = certainTags(full.picture);
  parts.tags.hidden = !full.picture?.tags.length;
  parts.tags.replaceChildren(
    element('b', {}, asContext ? 'Read after the tweet: ' : 'Seen in it: '),
    tags.map(({ name, probability }) => `${name} (${percent(probability)})`).join(', ') || nothingCertain(asContext),
  );
  const pairs = base ? changes(base, full) : [];
  parts.difference.replaceChildren(...(base ? difference(text, base, full, pairs, without) : []));
  // What changed comes first; that nothing did is the last thing to know. The order is that of the document, for who listens.
  if (pairs.length) parts.relevance.before(parts.difference);
  else parts.tags.after(parts.difference);
}

function nothingCertain(asContext) {
  return asContext ? 'words for the picture, nothing certain' : 'nothing certain';
}

function gauge({ overall, words, grains }) {
  const head = element(
    'p',
    { className: 'verdict' },
    element('b', { className: 'number' }, overall.toFixed(2)),
    element('span', {}, 'The model takes the picture as ', element('b', {}, words), '.'),
  );
  // It is learnt from names alone, so it follows what pictures are worth more than whether this one fits.
  const note = element('p', { className: 'caveat' }, 'Learnt from how much pictures helped: it need not tell whether this one belongs here.');
  const rows = grains.map(({ label, value }) => {
    const bar = element('span', { className: 'bar' }, element('span'));
    bar.firstChild.style.width = `${100 * value}%`;
    return element('li', {}, element('span', {}, label), bar, element('span', { className: 'number' }, value.toFixed(2)));
  });
  return [head, note, element('ul', { className: 'grains', ariaLabel: 'Relevance by grain, 0 to 1' }, ...rows)];
}

function difference(text, base, full, pairs, without) {
  if (!pairs.length) return [element('p', {}, same(text, base, full, without))];
  const cell = (tag, ...content) => element(tag, {}, ...content);
  const reading = (entity, other) => {
    if (!entity) return ['not a name'];
    const shifted = other && entity.utf16.join() !== other.utf16.join();
    const name = shifted ? [element('bdi', {}, `“${text.slice(...entity.utf16)}” `)] : [];
    return [...name, chip(entity.type), ` ${percent(entity.confidence)}`];
  };
  const rows = pairs.slice(0, ROWS).map(({ before, after }) => {
    const head = element('th', { scope: 'row' }, element('bdi', {}, text.slice(...(after ?? before).utf16)));
    return element('tr', {}, head, cell('td', ...reading(before, after)), cell('td', ...reading(after, before)));
  });
  const heads = ['Name', `Without ${without}`, 'With it'].map((title) => element('th', { scope: 'col' }, title));
  return [
    element(
      'table',
      {},
      element('caption', {}, `What ${without} changed`),
      element('thead', {}, element('tr', {}, ...heads)),
      element('tbody', {}, ...rows),
    ),
    ...(pairs.length > ROWS ? [element('p', {}, `And ${pairs.length - ROWS} more.`)] : []),
  ];
}

function same(text, base, full, without) {
  const most = mostMoved(base, full);
  if (!most) return `Without ${without}: no names either.`;
  const { before, after } = most;
  if (moved(most) < NOTABLE) return `Without ${without}: the same names, just as sure.`;
  const name = text.slice(...after.utf16);
  return `Without ${without}: the same names. “${name}” moved most, from ${percent(before.confidence)} to ${percent(after.confidence)}.`;
}
