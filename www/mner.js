/**
 * mner for any page: names in tweets and their pictures, computed in a Worker, with nothing leaving the page.
 *
 *     import { Recognizer } from './mner.js';
 *     const mner = await Recognizer.load('models/small/', { onProgress: console.log });
 *     const { entities } = await mner.recognize({ text: 'Sunita Williams is back in Houston', image: file });
 *     for (const { type, utf16 } of entities) console.log(type, text.slice(...utf16));
 *
 * @typedef {import('./pkg/cpu/mner_web.js').Recognition & {
 *     timings: {look: number, recognize: number}, backend: 'cpu' | 'webgpu'}} Recognition
 *     `timings` in milliseconds; `look` is 0 where the picture had been looked at before
 * @typedef {{loaded: number, total: number, parts: Record<string, {loaded: number, total: number}>}} Progress
 *     bytes of the engine and of the model's files; `total` grows while the first answers come in
 */
import { MnerError } from './errors.js';

export { MnerError };

/** The backends that are tried in turn. */
const PLANS = { auto: ['webgpu', 'cpu'], cpu: ['cpu'], webgpu: ['webgpu'] };
/** What another start, or another backend, may cure. */
const DIED = new Set(['crashed', 'timeout', 'device']);
const UNUSABLE = new Set([...DIED, 'webgpu', 'engine', 'memory']);
const LOAD_TIMEOUT = 120_000;
/** How finely a limit is measured. */
const TICKS = 10;
const LONGEST_TICK = 1000;
/** Pictures of which the Worker keeps what it saw. */
const PICTURES = 16;

const SCRIPT = new URL('./worker.js', import.meta.url);
/** Whether this module comes from another site than the page: from there, browsers start no Worker. */
const ELSEWHERE = SCRIPT.origin !== globalThis.origin;
/** The URL of a script of this site that imports the Worker's; made once, for as long as the page lives. */
let gate;

/** A number for every image object there ever was. */
const numbers = new WeakMap();
let lastNumber = 0;

export class Recognizer {
  /** The bundle's manifest. */
  manifest;
  /** The backend in use, `'cpu'` or `'webgpu'`. It may change when a device fails; each answer names its own. */
  backend;
  /** With `backend: 'auto'`, a sentence that says why WebGPU is not in use; otherwise `undefined`. */
  fallback;

  #url;
  #timeout;
  #plan;
  #worker;
  #pending = new Map();
  #lastId = 0;
  /** Settles when the Worker has its model; replaced at each start. */
  #ready;
  /** Settles when the last call made so far is done. */
  #turn = Promise.resolve();
  #closed = false;
  /** The pictures that the Worker knows, the one used last at the end. */
  #known = new Set();

  /**
   * Downloads the engine and a model, verifies them and makes them ready.
   *
   * @param {string | URL} url the bundle's folder, relative to the page
   * @param {object} [options]
   * @param {'auto' | 'cpu' | 'webgpu'} [options.backend] `auto` takes WebGPU where it is usable and not itself computed
   *     on the CPU, and otherwise the CPU, for the reason in `fallback`; `webgpu` takes any WebGPU or fails
   * @param {(progress: Progress) => void} [options.onProgress]
   * @param {AbortSignal} [options.signal] ends the download
   * @param {number} [options.timeout] milliseconds that the Worker may be silent over one tweet before it is restarted
   * @returns {Promise<Recognizer>}
   * @throws {MnerError}
   */
  static async load(url, { backend = 'auto', onProgress = () => {}, signal, timeout = 60_000 } = {}) {
    signal?.throwIfAborted();
    if (!Object.hasOwn(PLANS, backend)) {
      throw new MnerError('input', `There is no backend “${backend}”. Choose ${Object.keys(PLANS).join(', ')}.`);
    }
    const mner = new Recognizer();
    mner.#plan = [...PLANS[backend]];
    mner.#url = folder(url);
    if (!(timeout > 0)) throw new MnerError('input', `timeout must be a number of milliseconds above 0, not ${timeout}.`);
    mner.#timeout = timeout;
    try {
      await abortable(mner.#bringUp(onProgress), signal);
    } catch (error) {
      mner.close();
      throw error;
    }
    return mner;
  }

  /**
   * Names the entities of a tweet. Calls are answered in order. An engine that dies or hangs is restarted once; then, with
   * `backend: 'auto'`, the CPU takes over.
   *
   * @param {object} input
   * @param {string} input.text
   * @param {Blob | ArrayBuffer | ArrayBufferView} [input.image] the tweet's picture: a JPEG, PNG, WebP or GIF file, or
   *     any other that the browser can decode. The same object again is not looked at again, so its bytes must not change
   * @param {string} [input.caption] words about the picture, for models that read them (ITA); others take no notice
   * @param {object} [options]
   * @param {AbortSignal} [options.signal]
   * @param {(progress: {loaded: number, total: number}) => void} [options.onProgress] how much of the text is read; only an
   *     engine that works long on it says so
   * @returns {Promise<Recognition>}
   * @throws {MnerError}
   */
  async recognize(input, { signal, onProgress } = {}) {
    const { text, caption } = input ?? {};
    // Null is as good as absent: what a form without a picture gives.
    const image = input?.image ?? undefined;
    if (typeof text !== 'string') throw new MnerError('input', 'recognize() needs {text: string}.');
    if (caption !== undefined && typeof caption !== 'string') throw new MnerError('input', 'caption must be a string.');
    if (image !== undefined && !(image instanceof Blob || image instanceof ArrayBuffer || ArrayBuffer.isView(image))) {
      throw new MnerError('input', 'image must be a File, a Blob, an ArrayBuffer or a Uint8Array.');
    }
    signal?.throwIfAborted();
    // One tweet at a time is in the Worker, so that one that kills it takes no other with it.
    const turn = this.#turn.then(() => {
      signal?.throwIfAborted();
      const onReport = ({ loaded, total }) => !signal?.aborted && onProgress?.({ loaded, total });
      return this.#persist(() => this.#answer(text, image, caption, onReport));
    });
    this.#turn = turn.catch(() => {});
    return abortable(turn, signal);
  }

  /** Ends the Worker. Open calls fail with the code `closed`. */
  close() {
    this.#closed = true;
    this.#kill(new MnerError('closed', 'The recogniser was closed.'));
  }

  /** Does `work`, again where the engine dies over it: once on the same backend, then on the next. */
  async #persist(work) {
    for (let deaths = 0; ; ) {
      if (this.#closed) throw new MnerError('closed', 'The recogniser was closed.');
      try {
        if (!this.#worker) await this.#bringUp(() => {});
        await this.#ready;
        return await work();
      } catch (error) {
        if (this.#closed || !DIED.has(error.code)) throw error;
        if (++deaths < 2) continue;
        if (!this.#next(error)) throw error;
        deaths = 0;
      }
    }
  }

  async #answer(text, image, caption, onReport) {
    let look = 0;
    let picture;
    if (image !== undefined) {
      picture = numberOf(image);
      if (!this.#known.delete(picture)) look = await this.#look(picture, image);
      this.#known.add(picture);
    }
    const message = { op: 'recognize', text, caption, picture };
    const { recognition, milliseconds } = await this.#call(message, { timeout: this.#timeout, onReport });
    return { ...recognition, timings: { look, recognize: milliseconds }, backend: this.backend };
  }

  async #look(picture, image) {
    for (const oldest of this.#known) {
      if (this.#known.size < PICTURES) break;
      this.#known.delete(oldest);
      await this.#call({ op: 'forget', picture: oldest }, { timeout: this.#timeout });
    }
    // A blob crosses without its bytes. Of a view on a larger buffer the whole buffer would cross.
    const crossing = image instanceof Blob ? image : copied(image);
    const message = { op: 'look', picture, image: crossing };
    const transfer = image instanceof Blob ? [] : [crossing.buffer];
    const { milliseconds } = await this.#call(message, { timeout: this.#timeout, transfer });
    return milliseconds;
  }

  /** Starts the first backend of the plan that works here. */
  async #bringUp(onProgress) {
    for (;;) {
      this.backend = this.#plan[0];
      try {
        return await this.#start(onProgress);
      } catch (error) {
        if (this.#closed || !UNUSABLE.has(error.code) || !this.#next(error)) throw error;
      }
    }
  }

  /** Gives the current backend up for the next of the plan; false if there is none. */
  #next(reason) {
    if (this.#plan.length === 1) return false;
    this.#plan.shift();
    this.fallback =
      reason.code === 'webgpu' ? reason.message : `WebGPU failed on this machine: ${reason.message}`;
    this.#kill(reason);
    return true;
  }

  #start(onProgress) {
    const worker = newWorker();
    // Whether it has said anything yet: one that has not may never have been let in.
    let begun = false;
    this.#worker = worker;
    this.#known.clear();
    const died = (reason) => {
      if (this.#worker === worker) this.#kill(reason);
    };
    worker.onmessage = ({ data }) => {
      begun = true;
      if (data.dead) died(new MnerError(data.dead.code, data.dead.message));
      else this.#pending.get(data.id)?.(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      died(ELSEWHERE && !begun ? kept() : new MnerError('crashed', event.message || 'The engine did not start.'));
    };
    const parts = {};
    const onReport = ({ part, loaded, total }) => {
      parts[part] = { loaded, total };
      const sum = (key) => Object.values(parts).reduce((all, one) => all + one[key], 0);
      onProgress({ loaded: sum('loaded'), total: sum('total'), parts });
    };
    const software = this.#plan.length === 1;
    this.#ready = this.#call(
      { op: 'load', url: this.#url, backend: this.backend, software },
      { timeout: Math.max(LOAD_TIMEOUT, this.#timeout), onReport },
    ).then(
      ({ manifest }) => {
        this.manifest = manifest;
      },
      (error) => {
        died(error);
        throw error;
      },
    );
    return this.#ready;
  }

  /**
   * One question to the Worker. Silence longer than `timeout` kills it; every report starts the clock again. Time is counted
   * in ticks: while the machine sleeps, or the browser keeps the page still, the Worker does not work and nothing ticks.
   */
  #call(message, { timeout, onReport, transfer = [] }) {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const worker = this.#worker;
      if (!worker) return reject(new MnerError('crashed', 'The engine is not running.'));
      const tick = Math.min(timeout / TICKS, LONGEST_TICK);
      let clock;
      const wind = (silence = 0) => {
        clearTimeout(clock);
        clock = setTimeout(() => {
          // What a late tick comes late does not count.
          if (silence + tick < timeout) wind(silence + tick);
          else if (this.#worker === worker) this.#kill(new MnerError('timeout', `No answer within ${Math.round(timeout / 1000)} seconds.`));
        }, tick);
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
      worker.postMessage({ id, ...message }, transfer);
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

/** The number of an image object; the same object has the same. */
function numberOf(image) {
  if (!numbers.has(image)) numbers.set(image, ++lastNumber);
  return numbers.get(image);
}

/** A copy of the bytes of a buffer or a view. */
function copied(image) {
  const { buffer = image, byteOffset = 0, byteLength } = image;
  try {
    return new Uint8Array(buffer, byteOffset, byteLength).slice();
  } catch {
    throw new MnerError('input', 'The image’s buffer was handed on elsewhere. Pass one that still has its bytes.');
  }
}

/** An absolute URL whose path ends in a slash, so that file names can be resolved against it. Its query is every file's. */
function folder(url) {
  let absolute;
  try {
    absolute = new URL(url, globalThis.document?.baseURI ?? location.href);
  } catch {
    throw new MnerError('input', `“${url}” is no URL here. Pass the whole URL of the model’s folder.`);
  }
  if (!absolute.pathname.endsWith('/')) absolute.pathname += '/';
  absolute.hash = '';
  return absolute.href;
}

function newWorker() {
  if (!globalThis.Worker) {
    throw new MnerError('engine', 'Workers cannot be started here. Use mner in a page, or in a Worker of a browser that nests them.');
  }
  if (ELSEWHERE) gate ??= URL.createObjectURL(new Blob([`import ${JSON.stringify(SCRIPT.href)};`], { type: 'text/javascript' }));
  try {
    return new Worker(gate ?? SCRIPT, { type: 'module', name: 'mner' });
  } catch (error) {
    throw ELSEWHERE ? kept() : new MnerError('engine', `This page may not start a Worker: ${error.message}`);
  }
}

/** Why a Worker of another site did not start: browsers do not tell scripts which it was. */
function kept() {
  const { origin } = SCRIPT;
  return new MnerError(
    'origin',
    `mner comes from ${origin}, and the browser does not let its Worker in. Have ${origin} send “Access-Control-Allow-Origin” with ` +
      'its files and this page’s policy, if it has one, allow “worker-src blob:” and scripts from there; or serve mner from this site.',
  );
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
