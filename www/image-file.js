/** What kind of image a file is and how it lies, going by its bytes. Used in the page and inside the Worker. */
import { MnerError } from './errors.js';

/** What the engine decodes; of everything else, what the browser can decode is handed to it as PNG. */
const ENGINE = new Set(['JPEG', 'PNG', 'WebP', 'GIF']);
const ADVICE = 'JPEG, PNG, WebP or GIF';
/** What the engine reads at most, `Limits` in core, and what the browser decodes for it, which it holds whole. */
export const LIMITS = { bytes: 128 << 20, pixels: 250_000_000, sideAtOnce: 16_384, pixelsAtOnce: 64_000_000 };

/** How files begin: a format, its first bytes (a dot is any byte) and where they stand. */
const MAGIC = [
  ['JPEG', '\xff\xd8\xff'],
  ['PNG', '\x89PNG\r\n\x1a\n'],
  ['GIF', 'GIF87a'],
  ['GIF', 'GIF89a'],
  ['WebP', 'RIFF....WEBP'],
  ['BMP', 'BM'],
  ['Canon raw', 'II*\0\x10\0\0\0CR'],
  ['TIFF', 'II*\0'],
  ['TIFF', 'MM\0*'],
  ['TIFF', 'II+\0'],
  ['TIFF', 'MM\0+'],
  ['JPEG XL', '\xff\x0a'],
  ['JPEG XL', '\0\0\0\x0cJXL \r\n\x87\n'],
  ['JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n'],
  ['JPEG 2000', '\xff\x4f\xff\x51'],
  ['icon', '\0\0\x01\0'],
  ['Photoshop', '8BPS'],
  ['PDF', '%PDF-'],
  ['PostScript', '%!PS'],
  ['QOI', 'qoif'],
  ['video', '\x1a\x45\xdf\xa3'],
];
/** @type {[string, RegExp][]} Brands of files in boxes (ISO 14496-12), the telling ones first: `mif1` may stand for any of them. */
const BRANDS = [
  ['AVIF', /^(avif|avis|avio|av01|MA1[AB])$/],
  ['HEIC', /^(hei[csmx]|hev[csmx])$/],
  ['HEIF', /^(mif[123]|msf1|miaf|miif|1pic|avc[is]|vvi[cs]|evb[is]|jpeg|jpgs)$/],
];
/** Bytes from the beginning that tell the format. */
const HEAD = 1024;

/**
 * The format of a file, by its first bytes.
 * @param {Uint8Array} bytes
 * @returns {string | undefined} as a person would call it; `undefined` if it is none that is known here
 */
export function formatOf(bytes) {
  const head = latin(bytes.subarray(0, HEAD));
  const begins = (magic) => [...magic].every((byte, i) => byte === '.' || byte === head[i]);
  const found = MAGIC.find(([, magic]) => head.length >= magic.length && begins(magic));
  if (found) return found[0];
  const box = head.slice(4, 8);
  // What QuickTime may begin with in its place.
  if (/^(moov|mdat|wide|pnot)$/.test(box)) return 'video';
  if (box === 'ftyp') {
    // The major brand, its version, and those it goes along with.
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const brands = head.slice(8, size).match(/.{4}/gs)?.filter((_, i) => i !== 1) ?? [];
    return BRANDS.find(([, brand]) => brands.some((one) => brand.test(one)))?.[0] ?? 'video';
  }
  return /^\s*(<\?xml[^]*?)?(<!--[^]*?-->\s*)*(<!DOCTYPE svg[^]*?)?<svg[\s>]/i.test(head) ? 'SVG' : undefined;
}

/** The first bytes of a file. */
export async function headOf(blob) {
  return new Uint8Array(await blob.slice(0, HEAD).arrayBuffer());
}

/** Whether the engine itself reads files of a format. */
export function isRead(format) {
  return ENGINE.has(format);
}

/** Why a file is not read that neither the engine nor the browser decodes, after its name: in the module's language. */
function refusal(format) {
  return `is ${/^(AVIF|icon|SVG)$/.test(format) ? 'an' : 'a'} ${format} file, and this browser cannot read it. Save it as ${ADVICE}.`;
}

/**
 * An image file as the engine takes it: its own formats, and what it does not know at all, as they are; what the browser can
 * decode as a lossless PNG of the upright image.
 *
 * @param {Blob | Uint8Array<ArrayBuffer>} file
 * @param {(bytes: number) => void} check throws where a file has too many bytes for the engine
 * @throws {MnerError} `picture`
 */
export async function forEngine(file, check) {
  // One that cannot be read any more is the engine's to refuse, too.
  const format = file instanceof Blob ? await headOf(file).then(formatOf, () => undefined) : formatOf(file);
  if (format === undefined || ENGINE.has(format)) return file;
  check(file instanceof Blob ? file.size : file.length);
  let bitmap;
  try {
    // Without the type that somebody gave it: the bytes decide.
    bitmap = await createImageBitmap(new Blob([file]));
  } catch {
    throw new MnerError('picture', `the file ${refusal(format)}`);
  }
  const { width, height } = bitmap;
  try {
    if (Math.max(width, height) > LIMITS.sideAtOnce || width * height > LIMITS.pixelsAtOnce) {
      const words = `the image is ${width}×${height} pixels, and at most ${LIMITS.sideAtOnce} a side and ${LIMITS.pixelsAtOnce} in all are read`;
      throw new MnerError('picture', `${words}; save it smaller`);
    }
    // Smaller only where the engine would refuse the file: to make images small is its own work.
    for (let scale = 1; ; scale *= 0.7) {
      const png = await painted(bitmap, Math.ceil(width * scale), Math.ceil(height * scale));
      try {
        check(png.size);
      } catch {
        continue;
      }
      return new Uint8Array(await png.arrayBuffer());
    }
  } catch (error) {
    if (error instanceof MnerError) throw error;
    throw new MnerError('picture', `the ${format} file cannot be turned into one that is read (${error.message}); save it as ${ADVICE}`);
  } finally {
    bitmap.close();
  }
}

function painted(bitmap, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  return canvas.convertToBlob({ type: 'image/png' });
}

/** @typedef {[number, number, number, number, number, number]} Matrix as `setTransform` takes it */
/** @type {Record<number, (w: number, h: number) => Matrix>} how an image of such sides is turned, by the number in EXIF */
const TURNS = {
  2: (w) => [-1, 0, 0, 1, w, 0],
  3: (w, h) => [-1, 0, 0, -1, w, h],
  4: (w, h) => [1, 0, 0, -1, 0, h],
  5: () => [0, 1, 1, 0, 0, 0],
  6: (w, h) => [0, 1, -1, 0, h, 0],
  7: (w, h) => [0, -1, -1, 0, h, w],
  8: (w) => [0, -1, 1, 0, 0, w],
};

/**
 * The image of a WebP file as the engine sees it, where browsers may show it otherwise: the engine turns a WebP as its EXIF says,
 * Chromium 156 does not.
 * @param {Blob} blob
 * @returns {Promise<Blob | undefined>} for showing; `undefined` where the file itself will do
 */
export async function upright(blob) {
  if (blob.size > LIMITS.bytes) return undefined;
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const note = orientationOf(bytes);
  const turn = note && TURNS[note.view.getUint16(note.at, note.little)];
  if (!turn) return undefined;
  // Without the note, every browser shows it as it is stored.
  note.view.setUint16(note.at, 1, note.little);
  const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/webp' }));
  const { width, height } = bitmap;
  const matrix = turn(width, height);
  const canvas = matrix[0] ? new OffscreenCanvas(width, height) : new OffscreenCanvas(height, width);
  const context = canvas.getContext('2d');
  context.setTransform(...matrix);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas.convertToBlob({ type: 'image/webp', quality: 0.95 });
}

/** Where a WebP notes its orientation: in the first directory of its EXIF chunk. */
function orientationOf(bytes) {
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (latin(bytes.subarray(12, 16)) !== 'VP8X') return undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = file.getUint32(at + 4, true);
    if (latin(bytes.subarray(at, at + 4)) === 'EXIF') return entryOf(bytes.subarray(at + 8, at + 8 + size));
    at += 8 + size + (size % 2);
  }
  return undefined;
}

const ORIENTATION = 0x0112;
const SHORT = 3;

function entryOf(exif) {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const little = latin(exif.subarray(0, 4)) === 'II*\0';
  if (!little && latin(exif.subarray(0, 4)) !== 'MM\0*') return undefined;
  const room = (at, bytes) => at + bytes <= exif.length;
  const directory = room(4, 4) ? view.getUint32(4, little) : Infinity;
  if (!room(directory, 2)) return undefined;
  for (let i = 0; i < view.getUint16(directory, little); i++) {
    const at = directory + 2 + 12 * i;
    if (!room(at, 12)) return undefined;
    const [tag, type, count] = [view.getUint16(at, little), view.getUint16(at + 2, little), view.getUint32(at + 4, little)];
    if (tag === ORIENTATION && type === SHORT && count === 1) return { view, at: at + 8, little };
  }
  return undefined;
}

function latin(bytes) {
  return String.fromCharCode(...bytes);
}
