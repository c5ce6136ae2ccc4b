/** What the module needs of a browser: a Worker, and what URLs are relative to. */
import { MnerError } from './errors.js';

/** @typedef {import('./mner.js').Backend} Backend */

/** @type {Record<string, Backend[]>} the backends that are tried in turn */
export const plans = { auto: ['webgpu', 'cpu'], cpu: ['cpu'], webgpu: ['webgpu'] };

/** @type {boolean} whether there are caches that may keep the model's files */
export const keeps = true;

/** Where this module comes from. */
const { origin: HOME } = new URL(import.meta.url);
/** Whether that is another site than the page's: from there, browsers start no Worker. */
const ELSEWHERE = HOME !== globalThis.origin;
/** The URL of a script of this site that imports the Worker's; made once, for as long as the page lives. */
let gate;

/** @throws {MnerError} where there are no Workers */
export function requireWorkers() {
  if (globalThis.Worker) return;
  const words = 'Use mner in a page, in a Worker of a browser that nests them, or in Node by “@mner/mner/node”.';
  throw new MnerError('engine', `Workers cannot be started here. ${words}`);
}

/**
 * An absolute URL.
 * @param {string | URL} url
 * @param {URL} [base] in place of the page, or of the Worker that this runs in
 * @throws {TypeError}
 */
export function locate(url, base) {
  return new URL(url, base ?? globalThis.document?.baseURI ?? globalThis.location?.href);
}

/**
 * A new Worker with the engine's code.
 * @returns {Worker}
 * @throws {MnerError}
 */
export function startWorker() {
  try {
    if (ELSEWHERE) return startThrough(Gated);
    return new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'mner' });
  } catch (error) {
    throw notStarted() ?? new MnerError('engine', `This page may not start a Worker: ${error.message}`);
  }
}

/** A Worker whose script comes from another site. */
class Gated {
  constructor(url, options) {
    gate ??= URL.createObjectURL(new Blob([`import ${JSON.stringify(String(url))};`], { type: 'text/javascript' }));
    return new Worker(gate, options);
  }
}

/**
 * The same words again, by which bundlers know a Worker's script.
 * @param {new (url: URL, options: WorkerOptions) => any} Worker
 */
function startThrough(Worker) {
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'mner' });
}

/** Why a Worker of another site did not start: browsers do not tell scripts which it was. Of this site's, nothing is known. */
export function notStarted() {
  if (!ELSEWHERE) return undefined;
  return new MnerError(
    'origin',
    `mner comes from ${HOME}, and the browser does not let its Worker in. Have ${HOME} send “Access-Control-Allow-Origin” with ` +
      'its files and this page’s policy, if it has one, allow “worker-src blob:” and scripts from there; or serve mner from this site.',
  );
}
