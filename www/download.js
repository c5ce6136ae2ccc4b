/**
 * Downloading, with progress in bytes, resumption and a cache. Used inside the Worker.
 *
 * Large files are cached in parts as they come in: nothing is held twice, and a download that was stopped goes on where
 * it stopped, also at the next visit.
 */
import { MnerError } from './errors.js';

const CACHE = 'mner-models-v1';
/** Bytes of a cached part; the last of a file may be shorter. */
const PART = 1 << 20;
/** Bytes that are read at once. */
const CHUNK = 1 << 17;
/** Attempts in a row that may bring nothing, and the pause before the first of them; each further pause is twice as long. */
const ATTEMPTS = 3;
const PAUSE = 250;

/**
 * Fetches a small file whole.
 * @returns {Promise<Uint8Array>}
 */
export async function fetchWhole(url) {
  const response = await request(url, {});
  return new Uint8Array(await response.arrayBuffer().catch(() => fail('network', unreachable(url))));
}

/**
 * Brings in a file of a known length: as far as it is cached from there, the rest from the server. What it holds is not
 * checked here.
 *
 * @param {string} url
 * @param {{bytes: number, sha256: string}} entry what the manifest says of it
 * @param {(offset: number, chunk: Uint8Array) => Promise<void>} write takes the bytes; the chunk is only valid until it settles
 * @param {(loaded: number) => void} onBytes called with the bytes present so far
 * @returns {Promise<{keptAt: string, fromCache: boolean}>} the URL it is cached by, and whether any of it was before
 */
export function obtain(url, entry, write, onBytes) {
  // Two models that are opened together must not both fetch what they share: the second takes it from the cache.
  return alone(`mner ${entry.sha256}`, () => obtainAlone(url, entry, write, onBytes));
}

/** Does `work` while nobody else does what has that name; where the browser gives no locks, at once. */
async function alone(name, work) {
  let begun = false;
  const begin = () => {
    begun = true;
    return work();
  };
  try {
    return await navigator.locks.request(name, begin);
  } catch (error) {
    if (begun) throw error;
    return work();
  }
}

async function obtainAlone(url, { bytes, sha256 }, write, onBytes) {
  const keptAt = (await whereKept(sha256)) ?? url;
  const parts = new Parts(keptAt, sha256, bytes);
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
  if (!fromCache) await forget(url);

  for (let idle = 0, most = loaded; loaded < bytes; ) {
    try {
      loaded = await fetchFrom(url, loaded, bytes, async (offset, chunk) => {
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

/** The URL by which this version of a file is cached: another's, where models have a file in common. */
async function whereKept(sha256) {
  try {
    const keys = (await (await caches.open(CACHE)).keys()).map(({ url }) => new URL(url));
    const key = keys.find(({ searchParams }) => searchParams.get('sha256') === sha256);
    if (key) key.search = '';
    return key?.href;
  } catch {
    return undefined;
  }
}

/**
 * One request for the bytes from `from` on; if the server cannot do that, for all of them.
 * @returns {Promise<number>} where the answer ended
 */
async function fetchFrom(url, from, bytes, write) {
  const response = await request(url, from ? { Range: `bytes=${from}-` } : {});
  if (response.status === 416) fail('truncated', endedEarly(url, from, bytes));
  let at = from;
  if (from && !continues(response, from)) {
    if (response.status === 206) {
      await response.body.cancel();
      return fetchFrom(url, 0, bytes, write);
    }
    at = 0;
  }
  return drain(url, response.body, at, (offset, chunk) => {
    if (offset + chunk.length > bytes) fail('truncated', `${url} is longer than the ${bytes} bytes it should have.`);
    return write(offset, chunk);
  });
}

/**
 * Reads a file's bytes from `offset` on to the end of `stream`, into the same memory again and again: as garbage, a model's
 * pieces would stay for a while. Browsers whose streams cannot do that give new memory for each.
 * @returns {Promise<number>} where the stream ended
 */
async function drain(url, stream, offset, write) {
  let reader;
  let memory;
  try {
    reader = stream.getReader({ mode: 'byob' });
    memory = new ArrayBuffer(CHUNK);
  } catch {
    reader = stream.getReader();
  }
  try {
    for (;;) {
      const room = memory && new Uint8Array(memory);
      const { done, value } = await reader.read(room).catch(() => fail('network', unreachable(url)));
      if (done) return offset;
      await write(offset, value);
      offset += value.length;
      memory &&= value.buffer;
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    throw error;
  }
}

/** Whether an answer holds our bytes from `from` on: a range of a compressed file counts compressed bytes. */
function continues({ status, headers }, from) {
  const range = headers.get('content-range');
  return (
    status === 206 && !headers.get('content-encoding') && (range === null || range.startsWith(`bytes ${from}-`))
  );
}

/** The cached parts of one version of a file. A browser without a cache, or with a full one, has none. */
class Parts {
  #url;
  #sha256;
  #bytes;
  /** The part that is being filled: where it begins, its bytes, and how many are there. */
  #start = 0;
  #buffer;
  #filled = 0;

  constructor(url, sha256, bytes) {
    this.#url = url;
    this.#sha256 = sha256;
    this.#bytes = bytes;
  }

  /** The part that begins at `offset`, or `undefined`. */
  async at(offset) {
    try {
      return (await (await caches.open(CACHE)).match(this.#key(offset)))?.body;
    } catch {
      return undefined;
    }
  }

  /** Takes the next bytes, in order except for a fresh start at 0, and keeps every part that is full. */
  async add(offset, chunk) {
    if (offset !== this.#start + this.#filled) {
      this.#start = offset;
      this.#filled = 0;
    }
    for (let taken = 0; taken < chunk.length; ) {
      this.#buffer ??= new Uint8Array(Math.min(PART, this.#bytes));
      const piece = chunk.subarray(taken, taken + PART - this.#filled);
      this.#buffer.set(piece, this.#filled);
      this.#filled += piece.length;
      taken += piece.length;
      if (this.#filled === PART || this.#start + this.#filled === this.#bytes) await this.#keep();
    }
  }

  async #keep() {
    const body = this.#buffer.subarray(0, this.#filled);
    try {
      await (await caches.open(CACHE)).put(this.#key(this.#start), new Response(body));
    } catch (error) {
      console.info(`mner: a part of ${this.#url} was not cached: ${error.message}`);
    }
    this.#start += this.#filled;
    this.#filled = 0;
  }

  #key(offset) {
    const key = new URL(this.#url);
    key.search = `sha256=${this.#sha256}&from=${offset}`;
    return key.href;
  }
}

/** Drops everything cached of a file, whatever its version. */
export async function forget(url) {
  try {
    await (await caches.open(CACHE)).delete(url, { ignoreSearch: true });
  } catch {
    // No cache, nothing to forget.
  }
}

/**
 * Fetches a file of a known length whole.
 * @returns {Promise<Uint8Array>}
 */
export async function fetchCounted(url, bytes, onBytes) {
  const whole = new Uint8Array(bytes);
  const end = await fetchFrom(url, 0, bytes, (offset, chunk) => {
    whole.set(chunk, offset);
    onBytes(offset + chunk.length);
  });
  if (end < bytes) fail('truncated', endedEarly(url, end, bytes));
  return whole;
}

async function request(url, headers) {
  let response;
  try {
    response = await fetch(url, { headers, cache: 'no-cache' });
  } catch {
    fail('network', unreachable(url));
  }
  if (response.status === 404) fail('not-found', `There is no file at ${url}.`);
  if (!response.ok && response.status !== 416) fail('network', `The server answered ${response.status} for ${url}.`);
  return response;
}

function unreachable(url) {
  return `${url} cannot be reached. Check the connection and try again.`;
}

function endedEarly(url, loaded, bytes) {
  return `${url} ended after ${loaded} of ${bytes} bytes.`;
}

function fail(code, message) {
  throw new MnerError(code, message);
}
