/**
 * The Worker that holds the engine and one model. It can be killed at any moment: it owns nothing that cannot be loaded again.
 *
 * In:  {id, op: 'load', url, backend, software, cache, asks, loop?, asked} once, then any of
 *      {id, op: 'loadVision'}: loads what encodes images, unless it is there. It is fetched when the first text has been answered,
 *          or after a while without one, or now,
 *      {id, op: 'encode', number, image}: encodes an image file (Blob or Uint8Array) and keeps it by its number,
 *      {id, op: 'forget', number},
 *      {id, op: 'recognize', text, caption?, written?, number?},
 *      {id, op: 'write', format, documents}: answers as files of an annotation tool,
 *      {id, op: 'loadOcr', url}: fetches what reads text in images from a folder, and then
 *      {id, op: 'read', image}: reads the text in an image file,
 *      {id, op: 'loadCaptioner', url}: fetches what describes images from a folder, and then
 *      {id, op: 'describe', number}: says what an encoded image shows.
 *      {stop: id}: nobody waits for that call's answer any more.
 * Out: {id, progress: {part, loaded, total}} any number of times, then {id, result} or {id, error: {code, message, fatal}}.
 *      Each shows that the Worker is alive. Of `recognize` the part is `text`; the engine's `recognize` and `recognizeWith`
 *      are given a function `(done, total) => Promise<boolean>` for it as the last argument, and need not call it.
 *      {dead} without an id: the engine failed outside of any call.
 *      {ask} without an id, if `load` said `asks`: a request that the page is to do (remote-fetch.js).
 * `fatal` says that this Worker cannot be used any more.
 */
import { MnerError } from './errors.js';
import { Source } from './download.js';
import { engineOf } from './engines.js';
import { KeptFiles } from './kept-files.js';
import { forEngine } from './image-file.js';
import { fetchThrough } from './remote-fetch.js';
import { probe, requireRoom } from './webgpu.js';

/** What the manifest calls a file, and the name it has in the bundle's folder. */
const FILES = {
  weights: 'weights.bpk',
  tokenizer: 'tokenizer.json',
  eyes: 'eyes.bpk',
  augmentation: 'augmentation.bin',
};
const REQUIRED = ['weights', 'tokenizer'];
/** What encodes images. */
const VISION = FILES.eyes;
/** What reads text in images, beside its manifest. */
const OCR_FILE = 'ocr.bpk';
/** What describes images, beside its manifest. */
const CAPTION_FILE = 'caption.bpk';
/** How far a backend's scores may be from the bundle's known answer. */
const TOLERANCES = { cpu: 2e-3, webgpu: 2e-2 };
/** The same with the relaxed loop of fine inputs, whose numbers have two bits less. */
const RELAXED = 8e-3;

/** Milliseconds without a text after which what encodes images is fetched, and between attempts to. */
const IDLE = 5000;

/** What to do where a URL leads to no manifest. */
const FOLDER = 'Pass the URL of the folder that holds a model’s manifest.json.';

/** @type {import('./engine.d.ts').Engine} */
let engine;
/** @type {{memory?: WebAssembly.Memory}} */
let instance;
/** The loops of the CPU's engine. @type {import('./answers.d.ts').Loops | undefined} */
let loops;
/** @type {import('./engine.d.ts').Recognizer} */
let recognizer;
/** @type {import('./engine.d.ts').Ocr | undefined} */
let ocr;
/** @type {import('./engine.d.ts').Captioner | undefined} */
let captioner;
/**
 * What encodes images, while it is still to come: its file, that file on its way, and who hears how much of it is there.
 * @type {{url: string, entry: import('./mner.js').BundleFile, file?: ReturnType<typeof bring>, begun?: number, progress?: object, onReport?: (report: object) => void} | undefined}
 */
let vision;
/** Has the model give its known answer. @type {() => Promise<void>} */
let check;
/** Where the models' files come from. @type {Source} */
let source;
/** Settles when the engine is there. @type {Promise<void>} */
let starting;
/** @type {Map<number, import('./engine.d.ts').EncodedImage>} images as the engine encoded them, by their numbers */
const encodedImages = new Map();

/** The calls whose answers nobody waits for any more. @type {Set<number>} */
const stopped = new Set();
/** What a call that waits does when nobody waits for its answer any more. @type {Map<number, () => void>} */
const whenStopped = new Map();
/** Through it the Worker lets in what the page says while the engine computes. */
const breath = new MessageChannel();

const operations = { load, loadVision, encode, forget, recognize, write, loadOcr, read, loadCaptioner, describe };

self.onmessage = async ({ data: { id, op, stop, ...rest } }) => {
  if (stop) {
    stopped.add(stop);
    whenStopped.get(stop)?.();
    return;
  }
  try {
    const result = await operations[op]({ id, ...rest }, (progress) => self.postMessage({ id, progress }));
    self.postMessage({ id, result });
  } catch (error) {
    self.postMessage({ id, error: told(error) });
  } finally {
    stopped.delete(id);
    whenStopped.delete(id);
  }
};

// A panic in a callback of the device's passes by every promise.
self.addEventListener('error', (event) => {
  event.preventDefault();
  self.postMessage({ dead: told(event.error ?? event) });
});
self.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  self.postMessage({ dead: told(event.reason) });
});

async function load({ url, backend, software, cache, asks, loop: wantedLoop, asked }, report) {
  const plain = (address, init) => fetch(address, init);
  const beside = new Source(plain);
  source = new Source(asks ? fetchThrough((ask, ports) => self.postMessage(ask, { transfer: ports })) : plain, new KeptFiles(cache));
  const parts = await engineOf(backend, (address) => beside.whole(address));
  const limits = backend === 'webgpu' ? await probe({ software }) : undefined;
  starting = start(beside, parts, { loop: wantedLoop, asked }, (loaded) => report({ part: 'engine', loaded, total: parts.bytes }));
  // Awaited below; without this a manifest that fails first would count as a failure outside of any call.
  starting.catch(() => {});

  const { bytes, manifest } = await manifestOf(url);
  if (limits) requireRoom(limits, manifest);
  const wanted = Object.entries(FILES).filter(([key]) => REQUIRED.includes(key) || manifest.files?.[key]);
  const files = Object.fromEntries(wanted.map(([key, name]) => [name, manifest.files?.[key]]));
  // A text needs none. WebGPU compiles for images before the first of them comes.
  if (backend === 'cpu' && files[VISION] && manifest.known_answer?.without_picture) {
    vision = { url, entry: files[VISION] };
    delete files[VISION];
  }
  recognizer = await assemble(url, files, report, (buffers) => {
    const [weights, tokenizer, eyes, augmentation] = Object.values(FILES).map((name) => buffers[name]);
    return engine.Recognizer.load(bytes, weights, tokenizer, eyes, augmentation);
  });
  const loop = loops?.[recognizer.precision ?? 'fine'];
  if (asked && wantedLoop === 'relaxed') requireRelaxed(loop);
  // Some bytes are cached unchecked; `assemble` has checked them by now.
  const relaxed = loop?.name === 'relaxed';
  check = () =>
    recognizer.check(relaxed ? RELAXED : TOLERANCES[backend]).catch((error) => {
      // The module has the model read by the plain loop then.
      throw relaxed && !asked && error.code === 'device' ? new MnerError('unfit-loop', error.message) : error;
    });
  await check();
  report({ part: 'start', loaded: 0, total: 0 });
  if (backend === 'webgpu') await recognizer.warmUp();
  setTimeout(fetchVision, IDLE);
  return { manifest, memory: memory(), loop };
}

/** Bytes that the engine has taken. It gives none back. */
function memory() {
  return instance?.memory?.buffer.byteLength ?? 0;
}

/** The manifest in a folder: its bytes, and what they say. */
async function manifestOf(url) {
  const bytes = await source.whole(within(url, 'manifest.json')).catch((error) => {
    throw error.code === 'not-found' ? new MnerError('not-found', `${error.message} ${FOLDER}`) : error;
  });
  return { bytes, manifest: parse(bytes, url) };
}

/**
 * Brings files of a folder in and has the engine check them and make something of them.
 * @template Made
 * @param {string} base
 * @param {Record<string, import('./mner.js').BundleFile | undefined>} wanted what the manifest says of each, by its name
 * @param {(report: {part: string, loaded: number, total: number}) => void} report
 * @param {(buffers: Record<string, import('./engine.d.ts').FileBuffer>) => Promise<Made>} make
 * @param {Record<string, ReturnType<typeof bring>>} [coming] those that are on their way already
 * @returns {Promise<Made>}
 */
async function assemble(base, wanted, report, make, coming = {}) {
  const names = Object.keys(wanted);
  for (let second = false; ; second = true) {
    const files = await Promise.all(names.map((name) => (!second && coming[name]) || bring(base, name, wanted[name], report)));
    await starting;
    report({ part: 'start', loaded: 0, total: 0 });
    try {
      return await make(Object.fromEntries(names.map((name, i) => [name, files[i].buffer])));
    } catch (error) {
      if (error.code !== 'bundle') throw error;
      await Promise.all(files.map(({ keptAt }) => source.forget(keptAt)));
      // What the cache held may be damaged; what the server has just sent is as it is.
      if (second || !files.some((file) => file.fromCache)) throw error;
    }
  }
}

/** One file of a folder in the engine's memory, from the cache or the server. */
async function bring(base, name, entry, report) {
  if (!Number.isSafeInteger(entry?.bytes) || entry.bytes < 0 || typeof entry.sha256 !== 'string') {
    throw new MnerError('bundle', `manifest.json of ${base} does not give the size and SHA-256 of ${name}.`);
  }
  if (entry.bytes > 2 ** 31) {
    throw new MnerError('memory', `${name} has ${entry.bytes} bytes, which is more than a browser can hold.`);
  }
  const url = within(base, name);
  const onBytes = (loaded) => report({ part: name, loaded, total: entry.bytes });
  onBytes(0);
  // The server is asked before the engine is there; the bytes wait in the connection.
  let buffer;
  const room = async () => {
    await starting;
    buffer ??= new engine.FileBuffer(entry.bytes);
    return buffer;
  };
  const write = async (offset, chunk) => (await room()).write(offset, chunk);
  const { keptAt, fromCache } = await source.obtain(url, entry, write, onBytes).catch((error) => {
    buffer?.free();
    throw error;
  });
  return { keptAt, fromCache, buffer: await room() };
}

/** Begins to fetch what encodes images, where it is still to come. It may fail: then it begins anew when it is needed. */
function fetchVision() {
  if (!vision || vision.file) return;
  const { url, entry } = vision;
  vision.begun = performance.now();
  vision.file = bring(url, VISION, entry, (progress) => {
    if (!vision) return;
    vision.progress = progress;
    vision.onReport?.(progress);
  });
  vision.file.catch(() => vision && (vision.file = undefined));
}

/** Loads what encodes images, where that is still to be done, and has it checked as the rest was. */
async function loadVision({ id }, report) {
  if (!vision) return { memory: undefined };
  const { url, entry } = vision;
  const fetched = new Promise((resolve, reject) => {
    const stop = () => reject(new MnerError('stopped', 'Nobody waits for the image any more.'));
    whenStopped.set(id, stop);
    if (stopped.has(id)) stop();
    vision.onReport = report;
    fetchVision();
    if (vision.progress) vision.onReport(vision.progress);
    vision.file.then(resolve, reject);
  });
  const load = async (/** @type {Record<string, import('./engine.d.ts').FileBuffer>} */ files) => recognizer.loadVision(files[VISION]);
  await assemble(url, { [VISION]: entry }, report, load, { [VISION]: fetched }).catch((error) => {
    // What could not be loaded is used up.
    if (error.code !== 'stopped') vision.file = undefined;
    throw error;
  });
  vision = undefined;
  await check();
  return { memory: memory() };
}

async function loadOcr({ url }, report) {
  if (!engine.Ocr) throw new MnerError('engine', 'The engine of this page reads no text in images. Run ./build.sh build.');
  const loaded = await besideModel(url, OCR_FILE, engine.Ocr, report);
  ocr?.free();
  ocr = loaded;
  return {};
}

/**
 * What the engine makes of a folder of a manifest and one file.
 * @template Made
 * @param {string} url
 * @param {string} name
 * @param {{load(manifest: Uint8Array, weights: import('./engine.d.ts').FileBuffer): Promise<Made>}} maker
 */
async function besideModel(url, name, maker, report) {
  const { bytes, manifest } = await manifestOf(url);
  return assemble(url, { [name]: manifest.weights }, report, (buffers) => maker.load(bytes, buffers[name]));
}

async function read({ image }) {
  const from = performance.now();
  const written = await ocr.read(await forEngine(image, engine.checkImageSize));
  return { written, milliseconds: performance.now() - from, memory: memory() };
}

async function loadCaptioner({ url }, report) {
  if (!engine.Captioner) throw new MnerError('engine', 'The engine of this page describes no images. Run ./build.sh build.');
  const loaded = await besideModel(url, CAPTION_FILE, engine.Captioner, report);
  captioner?.free();
  captioner = loaded;
  return {};
}

async function describe({ number }) {
  const from = performance.now();
  const caption = await captioner.describe(encodedImages.get(number));
  return { caption, milliseconds: performance.now() - from };
}

async function encode({ number, image }) {
  const from = performance.now();
  encodedImages.set(number, await recognizer.encodeImage(await forEngine(image, engine.checkImageSize)));
  return { milliseconds: performance.now() - from, memory: memory() };
}

async function forget({ number }) {
  encodedImages.get(number)?.free();
  encodedImages.delete(number);
}

async function recognize({ id, text, caption, written, number }, report) {
  const from = performance.now();
  const onRead = async (loaded, total) => {
    report({ part: 'text', loaded, total });
    await new Promise((done) => {
      breath.port1.onmessage = done;
      breath.port2.postMessage(null);
    });
    return !stopped.has(id);
  };
  const encoded = encodedImages.get(number);
  const recognition =
    number === undefined
      ? await recognizer.recognize(text, caption, written, onRead)
      : await recognizer.recognizeWith(text, encoded, caption, written, onRead);
  if (encoded?.note) recognition.picture.note = encoded.note;
  if (!(performance.now() - vision?.begun < IDLE)) fetchVision();
  return { recognition, milliseconds: performance.now() - from };
}

async function write({ format, documents }) {
  return { writing: engine.annotations(format, documents) };
}

/** The URL of a file in the bundle's folder, with the folder's query: a version, or a key to it. */
function within(base, name) {
  const url = new URL(name, base);
  url.search = new URL(base).search;
  return url.href;
}

/** Throws where a relaxed loop is wanted and this is another. */
function requireRelaxed(loop) {
  const why = { unknown: 'this browser does not know it', wrong: 'this browser computes it wrongly', late: 'a model was loaded before' }[loop?.reason];
  if (why) throw new MnerError('engine', `The relaxed loop cannot be used here: ${why}. Use cpu-plain.`);
}

/** Downloads and instantiates the engine; that of the CPU chooses its loops. */
async function start(source, { glue, wasm, bytes }, { loop, asked }, onBytes) {
  // Compiled when it is whole: while it streams in, compiling takes twice its size in memory beside it.
  const code = await source.counted(wasm, bytes, onBytes).catch((error) => {
    throw error.code === 'truncated' ? new MnerError('engine', error.message) : error;
  });
  try {
    engine = await import(/* @vite-ignore */ /* webpackIgnore: true */ glue);
    instance = await engine.default({ module_or_path: code });
  } catch (error) {
    throw new MnerError('engine', `This browser cannot start the engine: ${error.message}`);
  }
  loops = engine.chooseLoops?.(loop);
  if (asked && loop === 'relaxed' && loops?.fine.reason === loops?.coarse.reason) requireRelaxed(loops?.fine);
}

function parse(bytes, url) {
  let manifest;
  try {
    manifest = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new MnerError('bundle', `manifest.json of ${url} is not JSON: ${error.message}. ${FOLDER}`);
  }
  if (typeof manifest !== 'object' || manifest === null) throw new MnerError('bundle', `manifest.json of ${url} is no manifest. ${FOLDER}`);
  return manifest;
}

/**
 * What may cross to the page. Whatever is not one of our errors came out of the wasm instance, which is dead then; and
 * an instance whose device failed cannot open another.
 */
function told(error) {
  if (typeof error?.code === 'string') {
    return { code: error.code, message: error.message, fatal: error.code === 'device' };
  }
  const panic = engine?.lastPanic?.();
  return { code: 'crashed', message: panic ?? String(error?.message ?? error), fatal: true };
}
