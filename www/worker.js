/**
 * The Worker that holds the engine and one model. It can be killed at any moment: it owns nothing that cannot be loaded again.
 *
 * In:  {id, op: 'load', url, backend} once, then {id, op: 'recognize', input: {text}}.
 * Out: {id, progress: {part, loaded, total}}, then {id, result} or {id, error: {code, message, fatal}}.
 * `fatal` says that this Worker cannot be used any more.
 */
import { MnerError } from './errors.js';
import { cached, fetchCounted, fetchSized, fetchWhole, forget, keep } from './download.js';

/** What the manifest calls a file, and the name it has in the bundle's folder. */
const FILES = { weights: 'weights.bpk', tokenizer: 'tokenizer.json' };
/** The module of each backend, and how far its scores may be from the bundle's known answer. */
const ENGINES = { cpu: { module: './pkg/cpu/mner_web.js', tolerance: 2e-3 } };

let engine;
let recognizer;

const operations = { load, recognize };

self.onmessage = async ({ data: { id, op, ...rest } }) => {
  try {
    const result = await operations[op](rest, (progress) => self.postMessage({ id, progress }));
    self.postMessage({ id, result });
  } catch (error) {
    self.postMessage({ id, error: describe(error) });
  }
};

async function load({ url, backend }, report) {
  const sizes = await fetchWhole(new URL('./pkg/sizes.json', import.meta.url).href)
    .then((bytes) => JSON.parse(new TextDecoder().decode(bytes)))
    .catch(() => {
      throw new MnerError('engine', 'The engine of this page is not built. Run ./build.sh build.');
    });
  const starting = start(backend, (loaded) => report({ part: 'engine', loaded, total: sizes[backend] }));
  // Awaited below; without this a manifest that fails first would leave an unhandled rejection.
  starting.catch(() => {});

  const manifestBytes = await fetchWhole(new URL('manifest.json', url).href);
  const manifest = parse(manifestBytes, url);
  const [weights, tokenizer] = await Promise.all(
    Object.keys(FILES).map((key) => obtain(manifest, key, url, report)),
  );
  await starting;
  report({ part: 'start', loaded: 0, total: 1 });
  try {
    recognizer = await engine.Recognizer.load(manifestBytes, weights.bytes, tokenizer.bytes);
  } catch (error) {
    await Promise.all([weights, tokenizer].map((file) => forget(file.url)));
    throw error;
  }
  // This also warms the engine up.
  await recognizer.check(ENGINES[backend].tolerance);
  // Only what the engine has verified is kept.
  await Promise.all(
    [weights, tokenizer].filter((file) => !file.fromCache).map((file) => keep(file.url, file.sha256, file.bytes)),
  );
  return { manifest };
}

async function recognize({ input }) {
  return recognizer.recognize(input.text);
}

/** Downloads and instantiates the engine. */
async function start(backend, onBytes) {
  const glue = new URL(ENGINES[backend].module, import.meta.url);
  const wasm = await fetchCounted(new URL('mner_web_bg.wasm', glue).href, onBytes);
  try {
    engine = await import(glue.href);
    await engine.default({ module_or_path: wasm });
  } catch (error) {
    throw new MnerError('engine', `This browser cannot start the engine: ${error.message}`);
  }
}

function parse(bytes, url) {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new MnerError('bundle', `manifest.json of ${url} is not JSON: ${error.message}`);
  }
}

/** One file of the bundle, from the cache or the server. */
async function obtain(manifest, key, base, report) {
  const name = FILES[key];
  const entry = manifest.files?.[key];
  if (!Number.isSafeInteger(entry?.bytes) || entry.bytes < 0 || typeof entry.sha256 !== 'string') {
    throw new MnerError('bundle', `manifest.json of ${base} does not give the size and SHA-256 of ${name}.`);
  }
  const url = new URL(name, base).href;
  const told = (loaded) => report({ part: name, loaded, total: entry.bytes });
  told(0);
  const hit = await cached(url, entry.sha256);
  const bytes = hit ?? (await fetchSized(url, entry.bytes, told));
  told(bytes.length);
  return { url, sha256: entry.sha256, bytes, fromCache: hit !== undefined };
}

/** What may cross to the page. Whatever is not one of our errors came out of the wasm instance, which is dead then. */
function describe(error) {
  if (typeof error?.code === 'string') return { code: error.code, message: error.message, fatal: false };
  const panic = engine?.lastPanic?.();
  return { code: 'crashed', message: panic ?? String(error?.message ?? error), fatal: true };
}
