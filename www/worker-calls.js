/** A Worker and the questions to it that are open. Whatever ends it settles them all; worker.js says what can be asked. */
import { MnerError } from './errors.js';
import { serveFetch } from './remote-fetch.js';

/** How finely a limit is measured. */
const TICKS = 10;
const LONGEST_TICK = 1000;

/**
 * @typedef {{part: string, loaded: number, total: number}} Report
 * @typedef {{progress?: Report, result?: Result, error?: {code: string, message: string, fatal: boolean}}} Answer of the Worker
 * @typedef {{manifest?: import('./mner.js').Manifest, recognition?: import('./engine.d.ts').Recognition, milliseconds?: number,
 *     memory?: number, loop?: import('./answers.d.ts').Loop, writing?: import('./engine.d.ts').Writing, written?: import('./engine.d.ts').ImageText,
 *     caption?: import('./engine.d.ts').Caption}} Result
 */
export class WorkerCalls {
  /** @type {Worker | undefined} until it ends */
  #worker;
  /** @type {Map<number, (answer: Answer) => void>} what to do with the Worker's answers, by the numbers of the calls */
  #pending = new Map();
  #lastId = 0;
  /** Ends what the page fetches for the Worker. */
  #ended = new AbortController();

  /**
   * @param {Pick<typeof import('./platform.js'), 'startWorker' | 'notStarted'>} platform
   * @param {import('./remote-fetch.js').Fetch} [fetch] the caller's own
   * @throws {MnerError}
   */
  constructor(platform, fetch) {
    const worker = platform.startWorker();
    // Whether it has said anything yet: one that has not may never have been let in.
    let begun = false;
    worker.onmessage = ({ data }) => {
      begun = true;
      if (data.dead) this.end(new MnerError(data.dead.code, data.dead.message));
      else if (data.ask) serveFetch(fetch, data.ask, this.#ended.signal);
      else this.#pending.get(data.id)?.(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.end((begun ? undefined : platform.notStarted()) ?? new MnerError('crashed', event.message || 'The engine did not start.'));
    };
    this.#worker = worker;
  }

  /** Whether it can be asked. */
  get runs() {
    return Boolean(this.#worker);
  }

  /**
   * One question. Silence longer than `timeout` ends the Worker; every report starts the clock again. Time is counted in ticks:
   * while the machine sleeps, or the browser keeps the page still, the Worker does not work and nothing ticks.
   * @param {{op: string} & Record<string, unknown>} message
   * @param {{timeout: number, onReport?: (report: Report) => void, signal?: AbortSignal, transfer?: Transferable[]}} how
   *     `signal` tells the Worker that nobody waits any more
   * @returns {Promise<Result>}
   */
  call(message, { timeout, onReport, signal, transfer = [] }) {
    return new Promise((resolve, reject) => {
      if (!this.#worker) return reject(new MnerError('crashed', 'The engine is not running.'));
      const id = ++this.#lastId;
      const stop = () => this.#worker?.postMessage({ stop: id });
      signal?.addEventListener('abort', stop, { once: true });
      const tick = Math.min(timeout / TICKS, LONGEST_TICK);
      let clock;
      const wind = (silence = 0) => {
        clearTimeout(clock);
        clock = setTimeout(() => {
          // What a late tick comes late does not count.
          if (silence + tick < timeout) wind(silence + tick);
          else this.end(new MnerError('timeout', `No answer within ${Math.round(timeout / 1000)} seconds.`));
        }, tick);
      };
      this.#pending.set(id, ({ progress, result, error }) => {
        if (progress) {
          wind();
          onReport?.(progress);
          return;
        }
        clearTimeout(clock);
        signal?.removeEventListener('abort', stop);
        this.#pending.delete(id);
        if (!error) return resolve(result);
        const wrapped = new MnerError(error.code, error.message);
        reject(wrapped);
        if (error.fatal) this.end(wrapped);
      });
      wind();
      this.#worker.postMessage({ id, ...message }, transfer);
      if (signal?.aborted) stop();
    });
  }

  /** Ends the Worker, for a reason that every open call fails with. */
  end(/** @type {MnerError} */ reason) {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#ended.abort();
    const open = [...this.#pending.values()];
    this.#pending.clear();
    for (const settle of open) settle({ error: { code: reason.code, message: reason.message, fatal: false } });
  }
}

/**
 * Takes the Worker's reports of parts, and tells their sums.
 * @param {(progress: import('./mner.js').Progress) => void} onProgress
 */
export function summed(onProgress) {
  /** @type {import('./mner.js').Progress['parts']} */
  const parts = {};
  return (/** @type {Report} */ { part, loaded, total }) => {
    parts[part] = { loaded, total };
    const sum = (key) => Object.values(parts).reduce((all, one) => all + one[key], 0);
    onProgress({ loaded: sum('loaded'), total: sum('total'), parts });
  };
}
