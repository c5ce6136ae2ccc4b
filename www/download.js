/**
 * Downloading, with progress in bytes, resumption and a cache. Used inside the Worker.
 */
import { MnerError } from './errors.js';

const CACHE = 'mner-models-v1';
const RESUMPTIONS = 3;

/**
 * Fetches a small file whole.
 * @returns {Promise<Uint8Array>}
 */
export async function fetchWhole(url) {
  const response = await request(url, {});
  return new Uint8Array(await response.arrayBuffer().catch(() => fail('network', unreachable(url))));
}

/**
 * Fetches a file of a known length. A connection that breaks is taken up where it broke, if the server can do that.
 * @param {string} url
 * @param {number} bytes the length the manifest promises
 * @param {(loaded: number) => void} onBytes called with the bytes present so far
 * @returns {Promise<Uint8Array>}
 */
export async function fetchSized(url, bytes, onBytes) {
  const buffer = new Uint8Array(bytes);
  let loaded = 0;
  for (let attempt = 0; ; attempt++) {
    const before = loaded;
    const response = await request(url, loaded ? { Range: `bytes=${loaded}-` } : {});
    if (response.status === 416) fail('truncated', endedEarly(url, loaded, bytes));
    if (response.status !== 206) loaded = 0;
    // A range of a compressed answer counts compressed bytes, which say nothing about ours.
    const resumable = !response.headers.get('content-encoding');
    try {
      for (const reader = response.body.getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        if (loaded + value.length > bytes) {
          await reader.cancel();
          fail('truncated', `${url} is longer than the ${bytes} bytes its manifest names.`);
        }
        buffer.set(value, loaded);
        loaded += value.length;
        onBytes(loaded);
      }
    } catch (error) {
      if (error instanceof MnerError) throw error;
    }
    if (loaded === bytes) return buffer;
    if (attempt === RESUMPTIONS || loaded === before) {
      fail('truncated', endedEarly(url, loaded, bytes));
    }
    if (!resumable) loaded = 0;
  }
}

/** The cached copy of a file with this hash, or `undefined`. A browser without a cache has none. */
export async function cached(url, sha256) {
  try {
    const hit = await (await caches.open(CACHE)).match(keyOf(url, sha256));
    return hit && new Uint8Array(await hit.arrayBuffer());
  } catch {
    return undefined;
  }
}

/** Keeps a verified file, in place of any other version of it. A full disk is no error: it is fetched again next time. */
export async function keep(url, sha256, bytes) {
  try {
    const cache = await caches.open(CACHE);
    await forget(url);
    await cache.put(keyOf(url, sha256), new Response(bytes));
  } catch (error) {
    console.info(`mner: ${url} was not cached: ${error.message}`);
  }
}

/** Drops every cached version of a file. */
export async function forget(url) {
  try {
    await (await caches.open(CACHE)).delete(url, { ignoreSearch: true });
  } catch {
    // No cache, nothing to forget.
  }
}

/**
 * Fetches a file of unknown length and passes its answer on, counting.
 * @returns {Promise<Response>}
 */
export async function fetchCounted(url, onBytes) {
  const response = await request(url, {});
  let loaded = 0;
  const counter = new TransformStream({
    transform(chunk, controller) {
      onBytes((loaded += chunk.length));
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(counter), { headers: { 'content-type': 'application/wasm' } });
}

function keyOf(url, sha256) {
  const key = new URL(url);
  key.search = `sha256=${sha256}`;
  return key.href;
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
