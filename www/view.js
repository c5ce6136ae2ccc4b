/** Draws the names of an answer: the tweet with its names marked, and the same as a list. */
import { element } from './dom.js';

/** What a type is called in words. */
export const TYPES = {
  PER: 'person',
  LOC: 'place',
  ORG: 'organisation',
  MISC: 'other name',
};

/** A probability as a whole percentage; neither 0 nor 100 unless it is exactly that. */
export function percent(p) {
  if (p > 0.99 && p < 1) return '>99\u00a0%';
  if (p > 0 && p < 0.01) return '<1\u00a0%';
  return `${Math.round(p * 100)}\u00a0%`;
}

/**
 * Fills `target` with the tweet. Its text content is exactly the tweet; labels are drawn by the style sheet.
 * Every name is a link to its entry in `list`.
 */
export function drawTweet(target, text, entities, list) {
  const nodes = [];
  let at = 0;
  entities.forEach(({ type, utf16: [start, end], confidence }, i) => {
    if (start > at) nodes.push(text.slice(at, start));
    const name = text.slice(start, end);
    const link = element('a', { className: `name ${type}`, href: `#${list.id}-${i}` }, element('span', {}, name));
    link.dataset.entity = i;
    link.dataset.label = `${type} ${percent(confidence)}`;
    link.setAttribute('aria-label', `${name}, ${TYPES[type]}, ${percent(confidence)}`);
    nodes.push(element('mark', {}, link));
    at = end;
  });
  if (at < text.length) nodes.push(text.slice(at));
  target.replaceChildren(...nodes);
}

/** Fills `target` (an `ol`) with one entry a name: type and confidence, and on demand the rest. */
export function drawList(target, text, entities) {
  target.replaceChildren(
    ...entities.map(({ type, utf16, confidence, runner_up: other }, i) => {
      const summary = element(
        'summary',
        {},
        chip(type),
        element('bdi', { className: 'text' }, text.slice(...utf16)),
        element('span', { className: 'confidence' }, percent(confidence)),
      );
      const next = `Next likeliest: ${TYPES[other.type]} (${percent(other.probability)}).`;
      const details = element(
        'details',
        { id: `${target.id}-${i}`, name: target.id },
        summary,
        element('p', {}, `${next} Characters ${utf16[0]} to ${utf16[1]} of the tweet.`),
      );
      details.dataset.entity = i;
      return element('li', {}, details);
    }),
  );
}

/** The word for a type, in its colour. */
export function chip(type) {
  return element('span', { className: `type ${type}` }, TYPES[type]);
}

/** The answer in one sentence, for the live region. */
export function sentence(text, entities) {
  if (!entities.length) return 'No names found.';
  const names = entities.map(({ type, utf16 }) => `${text.slice(...utf16)}, ${TYPES[type]}`);
  const shown = names.slice(0, 10).join('; ');
  const rest = names.length > 10 ? `; and ${names.length - 10} more` : '';
  return `${names.length === 1 ? 'One name' : `${names.length} names`} found: ${shown}${rest}.`;
}

/** Opens entry `i` of the list and moves the focus there, scrolling no more than needed. */
export function openEntry(list, i) {
  const details = list.querySelectorAll('details')[i];
  details.open = true;
  const summary = details.querySelector('summary');
  summary.focus({ preventScroll: true });
  details.scrollIntoView({ block: 'nearest' });
}
