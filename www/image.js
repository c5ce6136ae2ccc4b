/** An image of a tweet, as a person gave it and as the page shows it. */
import { LIMITS, formatOf, headOf, isRead, upright } from './image-file.js';
import { Refusal, say } from './wording.js';

/**
 * @typedef {import('./wording.js').Key} Key
 * @typedef {{blob: Blob, described?: {name: Key, alt: Key}}} Given `described` where the page itself has words for it
 * @typedef {Given & {url: string, width: number, height: number}} ShownImage `url` shows it as the engine sees it
 */

/** Images of a tweet. */
export const MOST = 4;

/** What an image is called. */
export function nameOf(/** @type {Given} */ { blob, described }) {
  if (described) return say(described.name);
  return (blob instanceof File && blob.name) || say('image.unnamed');
}

/** What an image is for whoever does not see it. */
export function altOf(/** @type {Given} */ image) {
  return image.described ? say(image.described.alt) : nameOf(image);
}

/**
 * Makes an image ready to be shown.
 * @param {Given} given
 * @returns {Promise<ShownImage>}
 * @throws {Refusal} where the browser cannot show it, or it is too large
 */
export async function opened(given) {
  const { blob } = given;
  const name = nameOf(given);
  const format = await headOf(blob).then(formatOf, () => undefined);
  const image = await shown(blob).catch(() => {
    throw refused(name, format);
  });
  try {
    // Loaded is not decoded: an image that is too large costs nothing yet.
    if (image.width * image.height > LIMITS.pixels) {
      const { width, height } = image;
      throw new Refusal('image.large', { name, size: sizeOf({ width, height }), most: LIMITS.pixels / 1e6 });
    }
    if (format === 'SVG') return { ...given, ...(await painted(image, name)) };
    const turned = format === 'WebP' ? await upright(blob) : undefined;
    if (!turned) return { ...given, ...image };
    URL.revokeObjectURL(image.url);
    return { ...given, ...(await shown(turned)) };
  } catch (error) {
    URL.revokeObjectURL(image.url);
    throw error instanceof Refusal ? error : refused(name, format);
  }
}

/** The longer side of a drawing that becomes pixels, at least and at most: it has no size of its own. */
const SIDES = [512, 2048];

/**
 * A drawing as pixels, which is what a Worker can read: only a page can draw an SVG.
 * @param {{url: string, width: number, height: number}} image
 * @param {string} name
 */
async function painted({ url, width, height }, name) {
  if (!width || !height) throw new Error('a drawing without a size');
  const drawing = new Image();
  drawing.src = url;
  await drawing.decode();
  const side = Math.max(width, height);
  const scale = Math.min(Math.max(side, SIDES[0]), SIDES[1]) / side;
  const canvas = new OffscreenCanvas(Math.ceil(width * scale), Math.ceil(height * scale));
  const context = canvas.getContext('2d');
  // Paper, where nothing is drawn.
  context.fillStyle = 'white';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(drawing, 0, 0, canvas.width, canvas.height);
  const blob = new File([await canvas.convertToBlob({ type: 'image/png' })], name, { type: 'image/png' });
  URL.revokeObjectURL(url);
  return { blob, ...(await shown(blob)) };
}

/** Width and height in pixels. */
export function sizeOf({ width, height }) {
  return `${width} × ${height}`;
}

function refused(name, format) {
  return format === undefined || isRead(format) ? new Refusal('image.unread', { name }) : new Refusal('image.format', { name, format: formatWord(format) });
}

/** Formats are called by their own names, but for these. */
function formatWord(format) {
  if (format === 'icon') return say('format.icon');
  if (format === 'video') return say('format.video');
  return format;
}

/** An image's URL and its size as the browser shows it; fails where it cannot. */
function shown(blob) {
  const url = URL.createObjectURL(blob);
  const image = new Image();
  return new Promise((done, failed) => {
    image.onload = () => done({ url, width: image.naturalWidth, height: image.naturalHeight });
    image.onerror = () => {
      URL.revokeObjectURL(url);
      failed(new Error('no image'));
    };
    image.src = url;
  });
}
