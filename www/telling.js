/** What a pane says of its own work: what went wrong, and how an answer came about. */
import { element } from './dom.js';
import { labelOf } from './models.js';
import { FOREIGN, say, sayWith, word } from './wording.js';

/** Codes of the module's errors that the page has words for. */
const KNOWN = /** @type {const} */ (['not-found', 'network', 'truncated', 'bundle', 'engine', 'memory', 'webgpu', 'device', 'recognize', 'input', 'crashed', 'timeout']);

/** How a file that cannot be fetched shows, be it the model's or the engine's. */
export const UNREACHED = ['network', 'engine', 'crashed'];

/** @typedef {(Error & {code?: string}) | {key: import('./wording.js').Key, values?: import('./wording.js').Values}} Cause the module's error, or words of the page */

/**
 * Says what went wrong: in the page's words as far as it has any, and what the engine says itself.
 * @param {{title: HTMLElement, advice: HTMLElement, text: HTMLElement}} parts
 * @param {import('./wording.js').Key} key of the title
 * @param {Cause} cause
 */
export function tellFailure({ title, advice, text }, key, cause) {
  word(title, key);
  if ('key' in cause) {
    word(text, cause.key, cause.values);
    advice.hidden = true;
    return;
  }
  const code = KNOWN.find((one) => one === cause.code);
  word(advice, code ? `problem.${code}` : undefined);
  advice.hidden = !code;
  word(text, 'engine.message', { message: element('bdi', FOREIGN, cause.message) });
}

/**
 * How an answer came about, as what can be appended.
 * @param {{found: import('./mner.js').Recognition, looked: boolean, fallback?: string, loop?: import('./answers.d.ts').Loop,
 *     model: import('./models.js').Model}} run `looked`: whether it is the answer with an image; `fallback` says why WebGPU is not
 *     in use, `loop` how the CPU computes
 */
export function howRun({ found, looked, fallback, loop, model }) {
  const { look, recognize } = found.timings;
  const time = (value) => say('milliseconds', { value: Math.max(1, Math.round(value)) });
  const parts = [
    say('run.read', { time: time(recognize) }),
    looked && (look ? say('run.looked', { time: time(look) }) : say('run.known')),
    say(found.backend === 'webgpu' ? 'run.gpu' : `run.${loop?.name ?? 'cpu'}`),
  ];
  const reason = fallback ? [...sayWith('engine.message', { message: element('bdi', FOREIGN, fallback) }), ' '] : [];
  return [`${parts.filter(Boolean).join(', ')}. `, ...reason, say('run.model', { model: labelOf(model) })];
}
