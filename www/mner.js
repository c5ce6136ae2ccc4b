/**
 * mner for any page: names in tweets, computed in a Worker, with nothing leaving the page.
 *
 *     import { Recognizer } from './mner.js';
 *     const mner = await Recognizer.load('models/small/', { onProgress: console.log });
 *     const { entities } = await mner.recognize({ text: 'Sunita Williams is back in Houston' });
 *     for (const { type, utf16 } of entities) console.log(type, text.slice(...utf16));
 *
 * @typedef {import('./pkg/cpu/mner_web.js').Recognition} Recognition
 * @typedef {{loaded: number, total: number, parts: Record<string, {loaded: number, total: number}>}} Progress
 *     bytes of the engine and of the model's files; `total` grows while the first answers come in
 */
import { MnerError } from './errors.js';

export { MnerError };

/** What 'auto' tries, best first. */
const BACKENDS = ['cpu'];
const LOAD_TIMEOUT = 120_000;

export class Recognizer {
  /** The bundle's manifest. */
  manifest;
  /** The backend in use: `'cpu'`. */
  backend;

  #url;
  #timeout;
  #worker;
  #pending = new Map();
  #lastId = 0;
  /** Settles when the Worker has its model; replaced at each restart. */
  #ready;
  /** Settles when the last call made so far is done. */
  #turn = Promise.resolve();
  #closed = false;

  /**
   * Downloads the engine and a model, verifies them and makes them ready.
   *
   * @param {string | URL} url the bundle's folder, relative to the page
   * @param {object} [options]
   * @param {'auto' | 'cpu'} [options.backend]
   * @param {(progress: Progress) => void} [options.onProgress]
   * @param {AbortSignal} [options.signal] ends the download
   * @param {number} [options.timeout] milliseconds one tweet may take before the Worker is restarted
   * @returns {Promise<Recognizer>}
   * @throws {MnerError}
   */
  static async load(url, { backend = 'auto', onProgress = () => {}, signal, timeout = 60_000 } = {}) {
    signal?.throwIfAborted();
    if (backend !== 'auto' && !BACKENDS.includes(backend)) {
      throw new MnerError('input', `There is no backend “${backend}”. Choose auto or ${BACKENDS.join(', ')}.`);
    }
    const mner = new Recognizer();
    mner.backend = backend === 'auto' ? BACKENDS[0] : backend;
    mner.#url = folder(url);
    mner.#timeout = timeout;
    try {
      await abortable(mner.#start(onProgress), signal);
    } catch (error) {
      mner.close();
      throw error;
    }
    return mner;
  }

  /**
   * Names the entities of a tweet. Calls are answered in order. An engine that dies or hangs is restarted once.
   *
   * @param {{text: string}} input
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<Recognition>}
   * @throws {MnerError}
   */
  async recognize(input, { signal } = {}) {
    if (typeof input?.text !== 'string') throw new MnerError('input', 'recognize() needs {text: string}.');
    signal?.throwIfAborted();
    // One tweet at a time is in the Worker, so that one that kills it takes no other with it.
    const turn = this.#turn.then(() => {
      signal?.throwIfAborted();
      return this.#recognize({ text: input.text });
    });
    this.#turn = turn.catch(() => {});
    return abortable(turn, signal);
  }

  /** Ends the Worker. Open calls fail with the code `closed`. */
  close() {
    this.#closed = true;
    this.#kill(new MnerError('closed', 'The recogniser was closed.'));
  }

  async #recognize(input) {
    for (let attempt = 0; ; attempt++) {
      if (this.#closed) throw new MnerError('closed', 'The recogniser was closed.');
      if (!this.#worker) this.#start(() => {}).catch(() => {});
      try {
        await this.#ready;
        return await this.#call({ op: 'recognize', input }, { timeout: this.#timeout });
      } catch (error) {
        const died = error.code === 'crashed' || error.code === 'timeout';
        if (!this.#closed && (!died || attempt)) throw error;
      }
    }
  }

  #start(onProgress) {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'mner' });
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#pending.get(data.id)?.(data);
    worker.onerror = (event) => {
      event.preventDefault();
      if (this.#worker === worker) this.#kill(new MnerError('crashed', event.message || 'The engine did not start.'));
    };
    const parts = {};
    const onReport = ({ part, loaded, total }) => {
      parts[part] = { loaded, total };
      const sum = (key) => Object.values(parts).reduce((all, one) => all + one[key], 0);
      onProgress({ loaded: sum('loaded'), total: sum('total'), parts });
    };
    this.#ready = this.#call(
      { op: 'load', url: this.#url, backend: this.backend },
      { timeout: LOAD_TIMEOUT, onReport },
    ).then(
      ({ manifest }) => {
        this.manifest = manifest;
      },
      (error) => {
        if (this.#worker === worker) this.#kill(error);
        throw error;
      },
    );
    return this.#ready;
  }

  /** One question to the Worker. Silence longer than `timeout` kills it; every report starts the clock again. */
  #call(message, { timeout, onReport }) {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const worker = this.#worker;
      if (!worker) return reject(new MnerError('crashed', 'The engine is not running.'));
      let clock;
      const wind = () => {
        clearTimeout(clock);
        clock = setTimeout(() => {
          const seconds = Math.round(timeout / 1000);
          if (this.#worker === worker) this.#kill(new MnerError('timeout', `No answer within ${seconds} seconds.`));
        }, timeout);
      };
      this.#pending.set(id, ({ progress, result, error }) => {
        if (progress) {
          wind();
          onReport?.(progress);
          return;
        }
        clearTimeout(clock);
        this.#pending.delete(id);
        if (!error) return resolve(result);
        const wrapped = new MnerError(error.code, error.message);
        reject(wrapped);
        if (error.fatal && this.#worker === worker) this.#kill(wrapped);
      });
      wind();
      worker.postMessage({ id, ...message });
    });
  }

  #kill(reason) {
    this.#worker?.terminate();
    this.#worker = undefined;
    const open = [...this.#pending.values()];
    this.#pending.clear();
    for (const settle of open) settle({ error: { code: reason.code, message: reason.message, fatal: false } });
  }
}

/** An absolute URL that ends in a slash, so that file names can be resolved against it. */
function folder(url) {
  const absolute = new URL(url, document.baseURI);
  if (!absolute.pathname.endsWith('/')) absolute.pathname += '/';
  return absolute.href;
}

/** `promise`, or the signal's reason as soon as it aborts. */
function abortable(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
