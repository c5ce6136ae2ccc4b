/**
 * Downloading, with progress in bytes and resumption. Used inside the Worker.
 *
 * Large files are cached in parts as they come in: nothing is held twice, and a download that was stopped goes on where
 * it stopped, also at the next visit.
 */
import { MnerError } from './errors.js';

/** Bytes that are read at once. */
const CHUNK = 1 << 17;
/** Attempts in a row that may bring nothing, and the pause before the first of them; each further pause is twice as long. */
const ATTEMPTS = 3;
const PAUSE = 250;
/** Milliseconds that a file is waited for which another Worker brings in: its server may send nothing to that one. */
const PATIENCE = 10_000;
/** The responses that are being read: Chromium ends one that nobody holds any more, and its body then never comes to an end. */
const held = new Set();

/** @typedef {(url: string, init: {headers: Record<string, string>, cache: RequestCache}) => Promise<Response>} Fetch */

/** Where files come from: a way to fetch them, and what is kept of them. */
export class Source {
  #fetch;
  #kept;

  /** @param {Fetch} fetch @param {import('./kept-files.js').KeptFiles} [kept] only `obtain` and `forget` need it */
  constructor(fetch, kept) {
    this.#fetch = fetch;
    this.#kept = kept;
  }

  /**
   * Fetches a small file whole.
   * @returns {Promise<Uint8Array>}
   */
  async whole(url) {
    const response = await this.#request(url, {});
    return new Uint8Array(await response.arrayBuffer().catch((error) => fail('network', unreachable(url, error))));
  }

  /**
   * Fetches a file of a known length whole.
   * @returns {Promise<Uint8Array>}
   */
  async counted(url, bytes, onBytes) {
    const whole = new Uint8Array(bytes);
    const end = await this.#from(url, 0, bytes, (offset, chunk) => {
      whole.set(chunk, offset);
      onBytes(offset + chunk.length);
    });
    if (end < bytes) fail('truncated', endedEarly(url, end, bytes));
    return whole;
  }

  /**
   * Brings in a file of a known length: as far as it is kept from there, the rest from the server. What it holds is not
   * checked here.
   *
   * @param {string} url
   * @param {{bytes: number, sha256: string}} entry what the manifest says of it
   * @param {(offset: number, chunk: Uint8Array) => Promise<void>} write takes the bytes; the chunk is only valid until it settles
   * @param {(loaded: number) => void} onBytes called with the bytes present so far
   * @returns {Promise<{keptAt: string, fromCache: boolean}>} the URL it is kept by, and whether any of it was before
   */
  obtain(url, entry, write, onBytes) {
    // Two models that are opened together must not both fetch what they share: the second takes it from the cache.
    return alone(`mner ${entry.sha256}`, () => this.#obtainAlone(url, entry, write, onBytes));
  }

  /** Drops everything kept of a file, whatever its version. */
  forget(url) {
    return this.#kept.forget(url);
  }

  async #obtainAlone(url, { bytes, sha256 }, write, onBytes) {
    const keptAt = (await this.#kept.where(sha256)) ?? url;
    const parts = this.#kept.parts(keptAt, sha256, bytes);
    let loaded = 0;
    for (let part; loaded < bytes && (part = await parts.at(loaded)); ) {
      const end = await drain(url, part, loaded, write).catch((error) => {
        if (error.code !== 'network') throw error;
        return loaded;
      });
      if (end === loaded) break;
      onBytes((loaded = end));
    }
    const fromCache = loaded > 0;
    // Of another version.
    if (!fromCache) await this.forget(url);

    for (let idle = 0, most = loaded; loaded < bytes; ) {
      try {
        loaded = await this.#from(url, loaded, bytes, async (offset, chunk) => {
          await write(offset, chunk);
          await parts.add(offset, chunk);
          onBytes((loaded = offset + chunk.length));
        });
      } catch (error) {
        // A connection that breaks after the first bytes may come back.
        if (error.code !== 'network' || !loaded) throw error;
      }
      if (loaded > most) idle = 0;
      else if (++idle > ATTEMPTS) fail('truncated', endedEarly(url, most, bytes));
      // Before giving up: perhaps it is the range that the server cannot send.
      else if (idle === ATTEMPTS) loaded = 0;
      most = Math.max(most, loaded);
      if (loaded < bytes) await new Promise((done) => setTimeout(done, PAUSE * 2 ** idle));
    }
    return { keptAt, fromCache };
  }

  /**
   * One request for the bytes from `from` on; if the server cannot do that, for all of them.
   * @returns {Promise<number>} where the answer ended
   */
  async #from(url, from, bytes, write) {
    const response = await this.#request(url, from ? { Range: `bytes=${from}-` } : {});
    if (response.status === 416) fail('truncated', endedEarly(url, from, bytes));
    let at = from;
    if (from && !continues(response, from)) {
      if (response.status === 206) {
        await response.body.cancel();
        return this.#from(url, 0, bytes, write);
      }
      at = 0;
    }
    // An answer without a body has no bytes.
    if (!response.body) return at;
    return drain(url, response, at, (offset, chunk) => {
      if (offset + chunk.length > bytes) fail('truncated', `${url} is longer than the ${bytes} bytes it should have.`);
      return write(offset, chunk);
    });
  }

  async #request(url, headers) {
    let response;
    try {
      response = await this.#fetch(url, { headers, cache: 'no-cache' });
    } catch (error) {
      fail('network', unreachable(url, error));
    }
    if (response.status === 404) fail('not-found', `There is no file at ${url}.`);
    if (!response.ok && response.status !== 416) fail('network', `The server answered ${response.status} for ${url}. Try again, or ask whoever runs it.`);
    return response;
  }
}

/** Does `work` while nobody else does what has that name; where the browser gives no locks, or another takes long, at once. */
async function alone(name, work) {
  let begun = false;
  const begin = () => {
    begun = true;
    return work();
  };
  try {
    return await navigator.locks.request(name, { signal: AbortSignal.timeout(PATIENCE) }, begin);
  } catch (error) {
    if (begun) throw error;
    return work();
  }
}

/**
 * Reads a file's bytes from `offset` on to the end of a response, into the same memory again and again: as garbage, a model's
 * pieces would stay for a while. Browsers whose streams cannot do that give new memory for each.
 * @returns {Promise<number>} where the stream ended
 */
async function drain(url, response, offset, write) {
  let reader;
  let memory;
  held.add(response);
  try {
    reader = response.body.getReader({ mode: 'byob' });
    memory = new ArrayBuffer(CHUNK);
  } catch {
    reader = response.body.getReader();
  }
  try {
    for (;;) {
      const room = memory && new Uint8Array(memory);
      const { done, value } = await reader.read(room).catch((error) => fail('network', unreachable(url, error)));
      if (done) return offset;
      await write(offset, value);
      offset += value.length;
      memory &&= value.buffer;
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    throw error;
  } finally {
    held.delete(response);
  }
}

/** Whether an answer holds our bytes from `from` on: a range of a compressed file counts compressed bytes. */
function continues({ status, headers }, from) {
  const range = headers.get('content-range');
  return (
    status === 206 && !headers.get('content-encoding') && (range === null || range.startsWith(`bytes ${from}-`))
  );
}

/** Browsers do not tell scripts why; who else fetches may. */
function unreachable(url, error) {
  if (error instanceof MnerError) return error.message;
  return `${url} cannot be reached. Check the connection and try again.`;
}

function endedEarly(url, loaded, bytes) {
  return `${url} ended after ${loaded} of ${bytes} bytes.`;
}

function fail(code, message) {
  throw new MnerError(code, message);
}
