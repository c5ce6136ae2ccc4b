/**
 * Stands in for the compiled engine where a test is about the page: the same exports, and words that begin with a
 * capital letter are names, of the type that their length picks. Some words, and some images, make it fail in the ways
 * a real one can.
 */
export default async function init({ module_or_path: wasm }) {
  if (!(wasm instanceof Uint8Array)) throw new TypeError('not the bytes of an engine');
  return { memory };
}

/** As large as it says, and no larger. */
const memory = { buffer: { byteLength: 2 ** 26 } };

let panic;
export const lastPanic = () => panic;

const TYPES = ['PER', 'LOC', 'ORG', 'MISC'];
const LARGEST = 1 << 20;
/** What a model of fine types tells of some names: the fine type, the coarse type, and how likely they are. */
const KINDS = {
  Pelé: ['athlete', 0.83, 'person', 0.97],
  Paris: ['city', 0.912, 'location', 0.98],
  Arena: ['sports_facility', 0.41, 'building', 0.88],
  Madrid: ['sports_team', 0.72, 'organization', 0.95],
  Unesco: ['social_organization', 0.31, 'organization', 0.92],
  Titanic: ['film_and_television_works', 0.77, 'art', 0.9],
  Weekend: ['event_other', 0.8, 'event', 0.93],
  Javas: ['island', 0.9, 'location', 0.95],
  Nothing: ['game', 0.2, 'product', 0.3],
  Lasagna: ['food_and_drink', 0.9, 'cuisine', 0.95],
};

function coded(code, message) {
  return Object.assign(new Error(message), { code });
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

let loop;

/** Of both precisions the loop that is asked for, or that the Worker's `LOOP` names. */
export function chooseLoops(wanted) {
  const name = wanted ?? globalThis.LOOP;
  loop = name && { name, ...globalThis.REFUSES };
  return loop && { fine: { name }, coarse: loop };
}

export function checkImageSize(bytes) {
  if (bytes > LARGEST) throw coded('picture', `the image file has ${bytes} bytes and at most ${LARGEST} are read`);
}

/** A line a text; of brat two files a text. A format is at a loss for names called Lost. */
export function annotations(format, documents) {
  if (documents.some(({ text }) => text.includes('Unwritable'))) throw coded('input', 'the span 0 to 9 is none of this text');
  const losses = documents.flatMap(({ entities }, i) =>
    entities.filter(({ text }) => text === 'Lost').map(() => `document ${i + 1}: the span "Lost" (PER) cuts a word; left out`),
  );
  const lines = documents.map((document) => JSON.stringify({ format, ...document }));
  if (format !== 'brat') return { files: [{ name: 'annotations.jsonl', text: `${lines.join('\n')}\n` }], losses };
  const files = documents.flatMap(({ text }, i) => [
    { name: `${i + 1}.txt`, text },
    { name: `${i + 1}.ann`, text: `${lines[i]}\n` },
  ]);
  return { files, losses };
}

export class FileBuffer {
  constructor(bytes) {
    this.bytes = new Uint8Array(bytes);
  }

  write(offset, chunk) {
    this.bytes.set(chunk, offset);
  }

  free() {}
}

/** What an image of the stub shows: its file as text, so that a text can be an image too. */
class EncodedImage {
  constructor(shows, mark) {
    this.shows = shows;
    this.mark = mark;
    if (shows.includes('fades in')) this.note = 'frame 3 of 12, the first that is not of one colour';
  }

  free() {
    this.shows = undefined;
  }
}

/** Whether a file is the one that a manifest names. */
async function isNamed(file, { sha256 }) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', file.bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('') === sha256;
}

/** What a file shows: its bytes as text. One that is no image, or not whole, is refused. */
async function shownBy(file) {
  if (file instanceof Blob) checkImageSize(file.size);
  const bytes = file instanceof Blob ? new Uint8Array(await file.arrayBuffer()) : file;
  // Longer than the browser's clock ticks.
  await pause(5);
  const shows = new TextDecoder().decode(bytes);
  if (shows.includes('broken')) throw coded('picture', 'the file ends before its image does; fetch or save it again');
  const jpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  if (!jpeg && !/^image|^RIFF....WEBP|^.PNG/s.test(shows)) throw coded('picture', 'this is not an image; choose a JPEG, PNG, WebP or GIF file');
  if (shows.includes('crash')) {
    panic = 'panicked: at an image';
    throw new WebAssembly.RuntimeError('unreachable');
  }
  if (shows.includes('very large')) memory.buffer = { byteLength: 2 ** 29 };
  return { bytes, shows };
}

/** In an image of 400 by 200 pixels, what its file says at its end: characters 10 pixels wide and 20 high, lines 30 apart. */
export class Ocr {
  static async load(manifest, weights) {
    const { ocr_format, weights: entry } = JSON.parse(new TextDecoder().decode(manifest));
    if (ocr_format !== 1) throw coded('bundle', `manifest.json: ocr_format ${ocr_format} is not known.`);
    if (!(await isNamed(weights, entry))) throw coded('bundle', 'ocr.bpk: not the file the manifest names.');
    return new Ocr();
  }

  async read(file) {
    const { shows } = await shownBy(file);
    if (shows.includes('slowly')) await pause(600);
    while (shows.includes('hang'));
    const said = shows.split('\nsays\n')[1] ?? '';
    const lines = said.split('\n').filter(Boolean).map((text, i) => {
      const box = (from, to) => [10 * from, 30 * i, 10 * to, 30 * i + 20];
      const words = [...text.matchAll(/\S+/g)].map(({ 0: word, index }) => ({ text: word, bounds: box(index, index + word.length), confidence: 0.9 }));
      return { text, bounds: box(0, text.length), confidence: 0.9, words };
    });
    return { width: 400, height: 200, lines };
  }

  free() {}
}

/** Says the first word that an image's file shows after its format. */
export class Captioner {
  static async load(manifest, weights) {
    const { caption_format, weights: entry } = JSON.parse(new TextDecoder().decode(manifest));
    if (caption_format !== 1) throw coded('bundle', `manifest.json: caption_format ${caption_format} is not known.`);
    if (!(await isNamed(weights, entry))) throw coded('bundle', 'caption.bpk: not the file the manifest names.');
    return new Captioner();
  }

  async describe({ shows }) {
    if (shows === undefined) throw coded('device', 'the image was let go');
    if (shows.includes('slowly')) await pause(600);
    if (shows.includes('unplaced')) throw coded('input', 'the image has 0 values in the space of sentences');
    if (shows.includes('wordless')) return undefined;
    return { text: `a picture that says ${shows.split('\nsays\n')[1] ?? 'nothing'}`, confidence: 0.5 };
  }

  free() {}
}

export class Recognizer {
  /** @type {'coarse' | undefined} */
  precision = globalThis.REFUSES ? 'coarse' : undefined;

  /** What it is a model of, whether it sees no images, and whether it tells fine types. */
  system;
  blind;
  kinds;

  /** What the manifest says of the eyes, while they are not loaded, and whether they were loaded after the rest. */
  vision;
  later = false;

  static async load(manifest, weights, tokenizer, eyes, augmentation) {
    const { files, config, eyes: sees, kinds, known_answer } = JSON.parse(new TextDecoder().decode(manifest));
    for (const [name, file] of Object.entries({ weights, tokenizer, eyes, augmentation })) {
      const later = name === 'eyes' && known_answer?.without_picture;
      if (!file !== !files[name] && !later) throw coded('bundle', `${name}: there and not named, or named and not there.`);
      if (file && !(await isNamed(file, files[name]))) throw coded('bundle', `${name}: not the file the manifest names.`);
    }
    const recognizer = new Recognizer();
    // A bundle that says nothing of itself can do everything.
    recognizer.system = config?.system ?? 'hamlearning';
    recognizer.blind = Boolean(config) && !sees;
    if (files.eyes && !eyes) recognizer.vision = files.eyes;
    recognizer.kinds = kinds ? KINDS : {};
    return recognizer;
  }

  async loadVision(eyes) {
    if (!(await isNamed(eyes, this.vision))) throw coded('bundle', 'eyes: not the file the manifest names.');
    this.vision = undefined;
    this.later = true;
  }

  async check() {
    const misreads = this.later ? globalThis.MISREADS_IMAGES : globalThis.MISREADS;
    if (loop && loop.name === misreads) throw coded('device', 'wrong numbers');
  }

  async warmUp() {}

  async encodeImage(file) {
    if (this.blind) throw coded('input', 'this model reads text alone');
    if (this.vision) throw coded('input', 'the eyes are not loaded');
    const { bytes, shows } = await shownBy(file);
    return new EncodedImage(shows, await marked(bytes));
  }

  /** Makes a person of every name that begins with J. */
  async recognizeWith(text, encoded, caption, written, onRead) {
    const { entities } = await this.recognize(text, caption, written, onRead);
    const measures = this.system === 'hamlearning';
    return {
      entities: entities.map((entity) => ({
        ...entity,
        ...(entity.text.startsWith('J') && { type: 'PER' }),
        ...(caption === undefined && written === undefined && { confidence: 0.962 }),
        ...(measures && { seen: entity.text.startsWith('J') ? 0.83 : 0.214, evidence: { heat: heat(entity.utf16[0]), objects: [0.3, 0.1] } }),
      })),
      picture: {
        ...(measures && { relevance: { global: 0.82, object: 0.74, semantic: 0.7, spatial: 0 } }),
        objects: [
          { name: 'person', score: 0.93, box: [20, 10, 50, 90] },
          { name: 'sports ball', score: 0.48, box: [60, 0, 75, 20] },
        ],
        tags: [
          { name: encoded.shows.slice(0, 40), probability: encoded.shows.includes('unsure') ? 0.14 : 0.4, source: 'classifier' },
          { name: 'missile', probability: 0.12, source: 'classifier' },
        ],
        width: 100,
        height: 100,
        ...encoded.mark,
      },
    };
  }

  /** Reads what is longer than a tweet in ten steps of 100 ms, and says so. */
  async recognize(text, caption, written, onRead) {
    if (text.includes('crash')) {
      panic = 'panicked: asked to';
      throw new WebAssembly.RuntimeError('unreachable');
    }
    // A panic in a callback: nothing that anybody waits for fails.
    if (text.includes('callback')) {
      panic = 'panicked: in a callback';
      setTimeout(() => {
        throw new WebAssembly.RuntimeError('unreachable');
      });
      return new Promise(() => {});
    }
    if (text.includes('lose')) throw coded('device', 'the compute device failed: lost');
    // 0.6 seconds, all of them awake.
    if (text.includes('slowly')) console.log('reading');
    for (let step = 0; step < 30 && text.includes('slowly'); step++) await pause(20);
    while (text.includes('hang'));
    for (let tenth = 1; tenth <= 10 && text.length > 100_000; tenth++) {
      await pause(100);
      const goesOn = await onRead(Math.round((tenth * text.length) / 10), text.length);
      if (goesOn === false) throw coded('stopped', 'nobody waits');
    }
    const entities = [...text.matchAll(/\p{Lu}[\p{L}\p{M}]*/gu)].map(({ 0: name, index }) => {
      const type = TYPES[name.length % 4];
      const span = [index, index + name.length];
      const runner_up = { type: TYPES[(name.length + 1) % 4], probability: 0.031 };
      // What is said of the image changes how sure the stub is.
      const confidence = 0.912 - (caption === undefined ? 0 : 0.3) - (written === undefined ? 0 : 0.1);
      const within = { '@': { user_name: true }, '#': { hashtag: true } }[text[index - 1]];
      const [fine, probability, coarse, coarse_probability] = this.kinds[name] ?? [];
      const kind = fine && { kind: { name: fine, probability, coarse, coarse_probability } };
      return { type, text: name, utf16: span, chars: span, bytes: span, confidence, runner_up, ...kind, ...within };
    });
    return { entities };
  }
}

/** Where a point of a stored image is to be seen, by its EXIF orientation. */
const TURNS = {
  1: ([x, y]) => [x, y],
  2: ([x, y], w) => [w - x, y],
  3: ([x, y], w, h) => [w - x, h - y],
  4: ([x, y], w, h) => [x, h - y],
  5: ([x, y]) => [y, x],
  6: ([x, y], w, h) => [h - y, x],
  7: ([x, y], w, h) => [h - y, w - x],
  8: ([x, y], w) => [y, w - x],
};

/**
 * The size of a small image and the box of what is magenta in it, upright, as the engine would have it: of every format the
 * EXIF orientation counts. The browser that decodes here turns a JPEG and a PNG, but not a WebP.
 */
async function marked(bytes) {
  if (bytes.length > 20_000) return {};
  const bitmap = await createImageBitmap(new Blob([bytes])).catch(() => undefined);
  if (!bitmap) return {};
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const isMark = (i) => data[4 * i] > 220 && data[4 * i + 1] < 60 && data[4 * i + 2] > 220;
  const places = Array.from({ length: width * height }, (_, i) => i).filter(isMark);
  if (!places.length) return {};
  const file = new TextDecoder('latin1').decode(bytes);
  const entry = String.fromCharCode(0x12, 1, 3, 0, 1, 0, 0, 0);
  const noted = file.startsWith('RIFF') && file.includes(entry) ? file.charCodeAt(file.indexOf(entry) + entry.length) : 1;
  const turn = TURNS[noted];
  const [x, y] = [places.map((i) => i % width), places.map((i) => Math.floor(i / width))];
  const corners = [
    [Math.min(...x), Math.min(...y)],
    [Math.max(...x) + 1, Math.max(...y) + 1],
  ].map((corner) => turn(corner, width, height));
  const side = (axis) => corners.map((corner) => corner[axis]).sort((a, b) => a - b);
  const [[left, right], [top, bottom]] = [side(0), side(1)];
  const [seenWidth, seenHeight] = noted > 4 ? [height, width] : [width, height];
  return { objects: [{ name: 'mark', score: 0.9, box: [left, top, right, bottom] }], width: seenWidth, height: seenHeight };
}

/** Attention of 0.6 in all, around one cell. */
function heat(seed) {
  const [row, column] = [seed % 7, (seed * 3) % 7];
  const near = Array.from({ length: 49 }, (_, i) => Math.exp(-((Math.floor(i / 7) - row) ** 2 + ((i % 7) - column) ** 2) / 3));
  const sum = near.reduce((a, b) => a + b);
  return near.map((share) => (0.6 * share) / sum);
}
