/** A picture of a tweet, as a person gave it and as the page shows it. */
import { LIMITS, formatOf, headOf, isRead, upright } from './picture-file.js';
import { Refusal, say } from './wording.js';

/**
 * @typedef {import('./wording.js').Key} Key
 * @typedef {{blob: Blob, described?: {name: Key, alt: Key}}} Given `described` where the page itself has words for it
 * @typedef {Given & {url: string, width: number, height: number}} Picture `url` shows it as the engine sees it
 */

/** Pictures of a tweet. */
export const MOST = 4;

/** What a picture is called. */
export function nameOf(/** @type {Given} */ { blob, described }) {
  if (described) return say(described.name);
  return (blob instanceof File && blob.name) || say('picture.unnamed');
}

/** What a picture is for whoever does not see it. */
export function altOf(/** @type {Given} */ picture) {
  return picture.described ? say(picture.described.alt) : nameOf(picture);
}

/**
 * Makes a picture ready to be shown.
 * @param {Given} given
 * @returns {Promise<Picture>}
 * @throws {Refusal} where the browser cannot show it, or it is too large
 */
export async function opened(given) {
  const { blob } = given;
  const name = nameOf(given);
  const image = await shown(blob).catch(async () => {
    throw refused(name, await headOf(blob).then(formatOf, () => undefined));
  });
  try {
    // Loaded is not decoded: a picture that is too large costs nothing yet.
    if (image.width * image.height > LIMITS.pixels) {
      const { width, height } = image;
      throw new Refusal('picture.large', { name, size: sizeOf({ width, height }), most: LIMITS.pixels / 1e6 });
    }
    const turned = await upright(blob);
    if (!turned) return { ...given, ...image };
    URL.revokeObjectURL(image.url);
    return { ...given, ...(await shown(turned)) };
  } catch (error) {
    URL.revokeObjectURL(image.url);
    throw error instanceof Refusal ? error : refused(name, await headOf(blob).then(formatOf, () => undefined));
  }
}

/** Width and height in pixels. */
export function sizeOf({ width, height }) {
  return `${width} × ${height}`;
}

function refused(name, format) {
  return format === undefined || isRead(format) ? new Refusal('picture.unread', { name }) : new Refusal('picture.format', { name, format: formatWord(format) });
}

/** Formats are called by their own names, but for these. */
function formatWord(format) {
  if (format === 'icon') return say('format.icon');
  if (format === 'video') return say('format.video');
  return format;
}

/** A picture's URL and its size as the browser shows it; fails where it cannot. */
function shown(blob) {
  const url = URL.createObjectURL(blob);
  const image = new Image();
  return new Promise((done, failed) => {
    image.onload = () => done({ url, width: image.naturalWidth, height: image.naturalHeight });
    image.onerror = () => {
      URL.revokeObjectURL(url);
      failed(new Error('no picture'));
    };
    image.src = url;
  });
}
