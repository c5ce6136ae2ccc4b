/**
 * mner for any page: names in tweets and their images, computed in a Worker, with nothing leaving the page.
 *
 *     import { Recognizer } from './mner.js';
 *     const mner = await Recognizer.load('models/small/', { onProgress: console.log });
 *     const { entities } = await mner.recognize({ text: 'Sunita Williams is back in Houston', image: file });
 *     for (const { type, utf16 } of entities) console.log(type, text.slice(...utf16));
 *
 * It may come from another site that lets its files be read (CORS), and it works inside a Worker too, in an extension's page, and
 * from a package (`./build.sh package`) in a bundler and in Node.
 *
 * @typedef {'cpu' | 'webgpu'} Backend
 * @typedef {{bytes: number, sha256: string}} BundleFile
 * @typedef {object} Manifest what the page reads of a bundle's manifest.json
 * @property {{system?: string, context?: object, encoder?: {vocab: number, d: number}}} [config]
 * @property {Record<string, BundleFile>} [files]
 * @property {object} [eyes] how it looks at images, if it does
 * @typedef {object} Input a tweet
 * @property {string} text
 * @property {import('./given-image.js').GivenImage | null} [image] the tweet's image: a JPEG, PNG, WebP or GIF file, or any other
 *     that the browser can decode. The same object again is not looked at again, so its bytes must not change
 * @property {string} [caption] words about the image, for models that read them (ITA); others take no notice
 * @property {string} [written] the text in the image, for the same models: the `text` of `readImage`
 * @typedef {import('./engine.d.ts').Recognition & {
 *     timings: {look: number, recognize: number}, backend: Backend}} Recognition
 *     `timings` in milliseconds; `look` is 0 where the image had been looked at before
 * @typedef {import('./engine.d.ts').Entity & {bounds: [number, number, number, number][]}} WrittenEntity a name in an image's text:
 *     `bounds` are the boxes of the words that it touches, one for every line that it stands in
 * @typedef {import('./engine.d.ts').ImageText & {text: string, entities: WrittenEntity[],
 *     timings: {read: number, recognize: number}, backend: Backend}} ImageReading
 *     `text` is that of the lines, a line break between them, and spans are places in it; `timings` in milliseconds
 * @typedef {{caption?: import('./engine.d.ts').Caption, timings: {look: number, describe: number}, backend: Backend}} Description
 *     `caption` is not there where nothing comes of an image; `timings` in milliseconds
 * @typedef {{loaded: number, total: number, parts: Record<string, {loaded: number, total: number}>}} Progress
 *     bytes of the engine and of the model's files; `total` grows while the first answers come in
 */
/**
 * @template T
 * @typedef {{input: T, index: number} & ((Recognition & {error?: undefined})
 *     | ({error: MnerError} & {[key in keyof Recognition]?: undefined}))} Answered an input of many, its place among them from 0, and
 *     its answer, or why it has none
 */
import { folder } from './bundle-url.js';
import { MnerError } from './errors.js';
import { crossing, numberOf, requireImage } from './given-image.js';
import { inOrder } from './in-order.js';
import { joined, withBounds } from './name-bounds.js';
import * as browser from './platform.js';
import { WorkerCalls, summed } from './worker-calls.js';

export { MnerError };

/** The Worker's word for a model whose numbers the relaxed loop does not keep. */
const UNFIT = 'unfit-loop';
/** The loops of the CPU that can be asked for by a backend's name. */
const LOOPS = { 'cpu-plain': 'plain', 'cpu-relaxed': 'relaxed' };
/** What another start, or another backend, may cure. */
const DIED = new Set(['crashed', 'timeout', 'device']);
const UNUSABLE = new Set([...DIED, 'webgpu', 'engine', 'memory']);
/** What one input of many may suffer without the next ones. */
const ITS_OWN = new Set(['picture', 'recognize', 'input', 'crashed', 'timeout']);
const LOAD_TIMEOUT = 120_000;
/** Images of which the Worker keeps what it saw. */
const IMAGES = 16;
/** Bytes that the engine's memory may grow by over an image. It never shrinks: beyond that, a fresh Worker takes the next one. */
const GROWTH = 256 * 2 ** 20;

/** Where models are kept, unless `cache` says otherwise. */
const CACHE = 'mner-models-v1';
/** The folder of what reads text in images, from a model's. */
const OCR = '../ocr/';
/** The folder of what describes images, from a model's. */
const CAPTIONER = '../caption/';

export class Recognizer {
  /**
   * What it runs on: a browser, unless a subclass says otherwise.
   * @internal
   */
  static platform = browser;

  /** @type {Manifest} the bundle's manifest */
  manifest;
  /** @type {Backend} the backend in use. It may change when a device fails; each answer names its own */
  backend;
  /** @type {string | undefined} with `backend: 'auto'`, a sentence that says why WebGPU is not in use */
  fallback;
  /** @type {import('./answers.d.ts').Loop | undefined} on the CPU, the loop that computes linear layers, and why that one */
  loop;

  /** @type {string} */
  #url;
  /** @type {number} */
  #timeout;
  /** @type {Pick<typeof browser, 'startWorker' | 'notStarted' | 'locate'>} */
  #platform;
  /** @type {import('./remote-fetch.js').Fetch | undefined} the caller's own */
  #fetch;
  /** @type {string | false} */
  #cache;
  /** @type {Backend[]} what is still to be tried, the one in use first */
  #plan;
  /** @type {string | undefined} the loop that the CPU shall use in place of the fastest, and whether the caller wants it */
  #wantedLoop;
  #asked = false;
  /** @type {WorkerCalls | undefined} */
  #worker;
  /** Settles when the Worker has its model; replaced at each start. */
  #ready;
  /** Settles when the last call made so far is done. */
  #turn = Promise.resolve();
  #closed = false;
  /** The images that the Worker knows, the one used last at the end. */
  #known = new Set();
  /** @type {string | undefined} the folder of what the Worker reads text in images with, once it has that */
  #ocr;
  /** Whether the Worker has what encodes images. */
  #sees = false;
  /** @type {string | undefined} the folder of what it describes images with */
  #captioner;
  /** Bytes of the engine's memory with the model, and whether an image made it much more. */
  #usual = 0;
  #swollen = false;

  /**
   * Downloads the engine and a model, verifies them and makes them ready.
   *
   * @param {string | URL} url the bundle's folder, relative to the page; with `models`, relative to that
   * @param {object} [options]
   * @param {string | URL} [options.models] the folder of many bundles, so that `url` can be a model's name
   * @param {'auto' | 'cpu' | 'webgpu' | 'cpu-plain' | 'cpu-relaxed'} [options.backend] `auto` takes WebGPU where it is usable and
   *     not itself computed on the CPU, and otherwise the CPU, for the reason in `fallback`; `webgpu` takes any WebGPU or fails;
   *     `cpu-plain` and `cpu-relaxed` are the CPU without and with the relaxed dot product, of which `cpu` takes what is faster
   * @param {(progress: Progress) => void} [options.onProgress]
   * @param {AbortSignal} [options.signal] ends the download
   * @param {number} [options.timeout] milliseconds that the Worker may be silent over one tweet before it is restarted
   * @param {import('./remote-fetch.js').Fetch} [options.fetch] fetches the model's files in place of the browser's own: with a
   *     key, or from where only the caller knows. The engine's come from beside this module
   * @param {string | false} [options.cache] the name of the cache that keeps the model's files for the next visit; false keeps none.
   *     Node keeps none
   * @returns {Promise<Recognizer>}
   * @throws {MnerError}
   */
  static async load(url, options) {
    const { backend = 'auto', onProgress = () => {}, signal, timeout = 60_000, models, fetch, cache = CACHE } = options ?? {};
    requireHow({ signal, onProgress });
    signal?.throwIfAborted();
    this.platform.requireWorkers();
    const { plans } = this.platform;
    const loop = Object.hasOwn(LOOPS, backend) ? LOOPS[backend] : undefined;
    const plan = loop ? 'cpu' : backend;
    if (!Object.hasOwn(plans, plan)) {
      const choices = [...Object.keys(plans), ...Object.keys(LOOPS)].join(', ');
      throw new MnerError('input', `There is no backend “${backend}” here. Choose ${choices}.`);
    }
    if (!(timeout > 0)) throw new MnerError('input', `timeout must be a number of milliseconds above 0, not ${timeout}.`);
    if (fetch !== undefined && typeof fetch !== 'function') throw new MnerError('input', 'fetch must be a function like the browser’s.');
    if (cache !== false && (typeof cache !== 'string' || !cache)) throw new MnerError('input', 'cache must be a name, or false.');
    const mner = new this();
    mner.#platform = this.platform;
    mner.#plan = [...plans[plan]];
    mner.#wantedLoop = loop;
    mner.#asked = Boolean(loop);
    mner.#url = folder(this.platform, url, models);
    mner.#timeout = timeout;
    mner.#fetch = fetch;
    mner.#cache = this.platform.keeps && cache;
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
   * @param {Input} input
   * @param {object} [options]
   * @param {AbortSignal} [options.signal] ends the reading of a long text, for one in the Worker that takes a moment
   * @param {(progress: {part: string, loaded: number, total: number}) => void} [options.onProgress] how much of the `part` `text`
   *     is read; only an engine that works long on it says so. Before the first image, how many bytes of the `part` `eyes.bpk`,
   *     which encodes images, are there
   * @returns {Promise<Recognition>}
   * @throws {MnerError}
   */
  async recognize(input, options) {
    const { signal, onProgress } = requireHow(options);
    const { text, caption, written } = input ?? {};
    // Null is as good as absent: what a form without an image gives.
    const image = input?.image ?? undefined;
    if (typeof text !== 'string') throw new MnerError('input', 'recognize() needs {text: string}.');
    for (const [name, words] of Object.entries({ caption, written })) {
      if (words !== undefined && typeof words !== 'string') throw new MnerError('input', `${name} must be a string.`);
    }
    if (image !== undefined) requireImage(image);
    const onReport = (progress) => !signal?.aborted && progress.total && onProgress?.(progress);
    return this.#inTurn(() => this.#answer({ text, caption, written }, image, { onReport, signal }), signal);
  }

  /**
   * Names the entities of many tweets, and answers in their order. An input that cannot be read has an `error` in place of an
   * answer, and the next ones go on; what ends all of it is thrown. Leaving the loop gives up what was taken in.
   *
   *     for await (const { input, entities, error } of mner.recognizeAll(tweets)) console.log(input, error ?? entities);
   *
   * @template {string | Input} T
   * @param {Iterable<T> | AsyncIterable<T>} inputs tweets, or their texts alone. They are taken as they are needed
   * @param {object} [options]
   * @param {AbortSignal} [options.signal]
   * @param {number} [options.ahead] inputs that are taken in before their turn, at most: those behind are waited for
   * @returns {AsyncGenerator<Answered<T>, void, undefined>}
   * @throws {MnerError}
   */
  recognizeAll(inputs, { signal, ahead = 8 } = {}) {
    if (typeof inputs === 'string' || !(inputs?.[Symbol.asyncIterator] ?? inputs?.[Symbol.iterator])) {
      throw new MnerError('input', 'recognizeAll() needs an array or another iterable of tweets.');
    }
    if (!(ahead >= 1)) throw new MnerError('input', `ahead must be a number from 1 on, not ${ahead}.`);
    const answer = async (/** @type {T} */ input, /** @type {number} */ index, /** @type {AbortSignal} */ stopped) => {
      try {
        const given = typeof input === 'string' ? { text: input } : /** @type {Input} */ (input);
        return { input, index, ...(await this.recognize(given, { signal: stopped })) };
      } catch (error) {
        if (!ITS_OWN.has(error.code)) throw error;
        return { input, index, error };
      }
    };
    return inOrder(inputs, answer, { signal, ahead });
  }

  /**
   * Reads the text in an image, and names the entities in that text. What reads it is fetched and kept as models are when it is
   * first asked for: 1.1 MB, the `manifest.json` and `ocr.bpk` of a folder of its own. Calls are answered in the order of all.
   *
   * @param {import('./given-image.js').GivenImage} image as `recognize` takes it
   * @param {object} [options]
   * @param {AbortSignal} [options.signal]
   * @param {string | URL} [options.ocr] that folder, relative to the page; without, it is `ocr` beside the model's
   * @param {(progress: Progress) => void} [options.onProgress] bytes of its files, while they come in
   * @returns {Promise<ImageReading>} without lines, where nothing is written in it
   * @throws {MnerError}
   */
  async readImage(image, options) {
    const { signal, ocr, onProgress } = requireHow(options);
    requireImage(image);
    const url = ocr === undefined ? folder(this.#platform, OCR, this.#url) : folder(this.#platform, ocr);
    const onReport = summed((progress) => !signal?.aborted && onProgress?.(progress));
    return this.#inTurn(() => this.#read(image, url, onReport), signal);
  }

  /**
   * Says what an image shows, in a sentence: what `recognize` may be given as its `caption`. What does so is fetched and kept as
   * models are when it is first asked for, the `manifest.json` and `caption.bpk` of a folder of its own. The model must read
   * images and have a projector, as those that ship have. Calls are answered in the order of all.
   *
   * @param {import('./given-image.js').GivenImage} image as `recognize` takes it
   * @param {object} [options]
   * @param {AbortSignal} [options.signal]
   * @param {string | URL} [options.captioner] that folder, relative to the page; without, it is `caption` beside the model's
   * @param {(progress: Progress) => void} [options.onProgress] bytes of its files, while they come in
   * @returns {Promise<Description>}
   * @throws {MnerError}
   */
  async describeImage(image, options) {
    const { signal, captioner, onProgress } = requireHow(options);
    requireImage(image);
    const url = captioner === undefined ? folder(this.#platform, CAPTIONER, this.#url) : folder(this.#platform, captioner);
    const onReport = summed((progress) => !signal?.aborted && onProgress?.(progress));
    return this.#inTurn(() => this.#describe(image, url, { onReport, signal }), signal);
  }

  /**
   * Writes answers as files of an annotation tool.
   *
   * @param {import('./engine.d.ts').AnnotationFormat} format
   * @param {import('./engine.d.ts').Annotated[]} documents tweets and the entities found in them, as `recognize` gives them
   * @returns {Promise<import('./engine.d.ts').Writing>}
   * @throws {MnerError} `input` where spans are none of the text, or there is no such format
   */
  async annotations(format, documents) {
    if (typeof format !== 'string' || !Array.isArray(documents)) {
      throw new MnerError('input', 'annotations() needs the name of a format and an array of {text, entities}.');
    }
    return this.#inTurn(() => this.#call({ op: 'write', format, documents })).then(({ writing }) => writing);
  }

  /** Ends the Worker. Open calls fail with the code `closed`. */
  close() {
    this.#closed = true;
    this.#worker?.end(new MnerError('closed', 'The recogniser was closed.'));
  }

  /**
   * Does `work` when all calls before are done: one is in the Worker at a time, so that one that kills it takes no other with it.
   * @template T
   * @param {() => Promise<T>} work
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async #inTurn(work, signal) {
    signal?.throwIfAborted();
    const turn = this.#turn.then(() => {
      signal?.throwIfAborted();
      return this.#persist(work, signal);
    });
    this.#turn = turn.then(() => {}, () => {});
    return abortable(turn, signal);
  }

  /** Does `work`, again where the engine dies over it: once on the same backend, then on the next. */
  async #persist(work, signal) {
    for (let deaths = 0; ; ) {
      signal?.throwIfAborted();
      if (this.#closed) throw new MnerError('closed', 'The recogniser was closed.');
      if (!this.#plan) throw new MnerError('input', 'This recogniser has no model. Make one by Recognizer.load().');
      try {
        if (!this.#worker?.runs) await this.#bringUp(() => {});
        await this.#ready;
        return await work();
      } catch (error) {
        if (this.#closed) throw error;
        if (error.code === UNFIT) {
          this.#wantedLoop = 'plain';
          this.loop = undefined;
          this.#worker?.end(error);
          continue;
        }
        if (!DIED.has(error.code)) throw error;
        if (++deaths < 2) continue;
        if (!this.#next(error)) throw error;
        deaths = 0;
      }
    }
  }

  async #answer(words, image, how) {
    const { number, look } = await this.#look(image, how);
    const message = { op: 'recognize', ...words, number };
    const { recognition, milliseconds } = await this.#call(message, how);
    return { ...recognition, timings: { look, recognize: milliseconds }, backend: this.backend };
  }

  /** Has an image encoded, unless it is. Its number, and the milliseconds that it took. */
  async #look(image, how) {
    if (image === undefined) return { look: 0 };
    const number = numberOf(image);
    const look = this.#known.delete(number) ? 0 : await this.#encode(number, image, how);
    this.#known.add(number);
    return { number, look };
  }

  /** Has what encodes images loaded, where that is still to be done. */
  async #loadVision(how) {
    if (this.#sees) return;
    const { memory } = await this.#call({ op: 'loadVision' }, { ...how, timeout: this.#loadTimeout }).catch((error) => {
      // The server hangs, not the engine: the next call may do better, this one not.
      throw error.code === 'timeout' ? new MnerError('network', `What encodes images did not come. ${error.message}`) : error;
    });
    this.#sees = true;
    this.#usual = memory ?? this.#usual;
  }

  async #encode(number, image, how) {
    await this.#slim();
    await this.#loadVision(how);
    for (const oldest of this.#known) {
      if (this.#known.size < IMAGES) break;
      this.#known.delete(oldest);
      await this.#call({ op: 'forget', number: oldest });
    }
    const { milliseconds } = await this.#hand({ op: 'encode', number }, image);
    return milliseconds;
  }

  async #read(image, url, onReport) {
    await this.#slim();
    if (this.#ocr !== url) {
      this.#ocr = undefined;
      await this.#call({ op: 'loadOcr', url }, { timeout: this.#loadTimeout, onReport });
      this.#ocr = url;
    }
    const { written, milliseconds: read } = await this.#hand({ op: 'read' }, image);
    const text = joined(written.lines);
    const { recognition, milliseconds } = await this.#call({ op: 'recognize', text });
    const entities = withBounds(recognition.entities, written.lines);
    return { ...written, text, entities, timings: { read, recognize: milliseconds }, backend: this.backend };
  }

  async #describe(image, url, { onReport, signal }) {
    const { number, look } = await this.#look(image, { onReport, signal });
    if (this.#captioner !== url) {
      this.#captioner = undefined;
      await this.#call({ op: 'loadCaptioner', url }, { timeout: this.#loadTimeout, onReport });
      this.#captioner = url;
    }
    const { caption, milliseconds } = await this.#call({ op: 'describe', number });
    return { caption, timings: { look, describe: milliseconds }, backend: this.backend };
  }

  /** Takes a fresh Worker where an image has made the memory of this one large. */
  async #slim() {
    if (!this.#swollen) return;
    this.#worker?.end(new MnerError('closed', 'The engine gives its memory back.'));
    await this.#bringUp(() => {});
    await this.#ready;
  }

  /** Asks something of an image. */
  async #hand(message, given) {
    const { image, transfer } = crossing(given);
    const result = await this.#call({ ...message, image }, { transfer });
    this.#swollen = result.memory - this.#usual > GROWTH;
    return result;
  }

  /** Starts the first backend of the plan that works here. */
  async #bringUp(onProgress) {
    for (;;) {
      this.backend = this.#plan[0];
      try {
        return await this.#start(onProgress);
      } catch (error) {
        if (this.#closed) throw error;
        if (error.code === UNFIT) this.#wantedLoop = 'plain';
        else if (!UNUSABLE.has(error.code) || !this.#next(error)) throw error;
      }
    }
  }

  /** Gives the current backend up for the next of the plan; false if there is none. */
  #next(reason) {
    if (this.#plan.length === 1) return false;
    this.#plan.shift();
    this.fallback =
      reason.code === 'webgpu' ? reason.message : `WebGPU failed on this machine: ${reason.message}`;
    this.#worker?.end(reason);
    return true;
  }

  #start(onProgress) {
    const worker = new WorkerCalls(this.#platform, this.#fetch);
    this.#worker = worker;
    this.#known.clear();
    this.#ocr = this.#captioner = undefined;
    this.#sees = false;
    const software = this.#plan.length === 1;
    this.#ready = this.#call(
      { op: 'load', url: this.#url, backend: this.backend, software, cache: this.#cache, asks: Boolean(this.#fetch), loop: this.#wantedLoop ?? this.loop?.name, asked: this.#asked },
      { timeout: this.#loadTimeout, onReport: summed(onProgress) },
    ).then(
      ({ manifest, memory, loop }) => {
        this.manifest = manifest;
        // After a restart it is the same, and why it was taken was said before.
        this.loop ??= loop && this.#wantedLoop && !this.#asked ? { ...loop, reason: 'model' } : loop;
        this.#usual = memory;
        this.#swollen = false;
      },
      (error) => {
        worker.end(error);
        throw error;
      },
    );
    return this.#ready;
  }

  get #loadTimeout() {
    return Math.max(LOAD_TIMEOUT, this.#timeout);
  }

  /**
   * One question to the Worker.
   * @param {{op: string} & Record<string, unknown>} message
   * @param {Partial<Parameters<WorkerCalls['call']>[1]>} [how]
   */
  #call(message, how) {
    return this.#worker.call(message, { timeout: this.#timeout, ...how });
  }
}

/**
 * Options of a call.
 * @template {{signal?: AbortSignal, onProgress?: Function}} How
 * @param {How} [how]
 * @returns {How}
 * @throws {MnerError}
 */
function requireHow(how) {
  const { signal, onProgress } = how ?? {};
  if (signal && typeof signal.throwIfAborted !== 'function') throw new MnerError('input', 'signal must be an AbortSignal.');
  if (onProgress && typeof onProgress !== 'function') throw new MnerError('input', 'onProgress must be a function.');
  return how ?? /** @type {How} */ ({});
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
