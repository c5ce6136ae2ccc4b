/** What the module needs of Node: a thread in the place of a Worker, and paths in the place of URLs. */
import { pathToFileURL } from 'node:url';
import { Worker as Thread } from 'node:worker_threads';

/** @type {Record<string, import('./mner.js').Backend[]>} the backends that are tried in turn */
export const plans = { auto: ['cpu'], cpu: ['cpu'] };

/** @type {boolean} whether there are caches that may keep the model's files */
export const keeps = false;

/** Node has threads. */
export function requireWorkers() {}

/** What begins like a URL; a Windows drive has one letter. */
const ADDRESS = /^[a-z][a-z0-9+.-]+:/i;

/**
 * An absolute URL.
 * @param {string | URL} url or the path of a folder
 * @param {URL} [base] in place of the working folder
 * @throws {TypeError}
 */
export function locate(url, base) {
  if (base || url instanceof URL || ADDRESS.test(url)) return new URL(url, base);
  return pathToFileURL(url);
}

/** Nothing is known of a thread that did not start. */
export function notStarted() {
  return undefined;
}

/** @returns {Worker} as far as the module uses one */
export function startWorker() {
  return /** @type {any} */ (new ThreadWorker());
}

/** A thread that goes by the names of a browser's Worker. It keeps no process alive: the clock of an open call does. */
class ThreadWorker {
  onmessage;
  onerror;
  #thread = new Thread(new URL('./node-worker.js', import.meta.url), { name: 'mner' });

  constructor() {
    const failed = (message) => this.onerror?.({ message, preventDefault() {} });
    this.#thread.on('message', (data) => this.onmessage?.({ data }));
    this.#thread.on('messageerror', (error) => failed(error.message));
    this.#thread.on('error', (error) => failed(error.message));
    this.#thread.on('exit', (code) => failed(`The engine’s thread ended with ${code}.`));
    this.#thread.unref();
  }

  postMessage(message, transfer) {
    this.#thread.postMessage(message, transfer);
  }

  terminate() {
    void this.#thread.terminate();
  }
}
