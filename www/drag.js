/** What a drag brings: files, or an image of a page as far as its bytes can be had. */
import { Refusal } from './wording.js';

/**
 * @param {DataTransfer} data of a `drop`
 * @returns {Promise<File[]>} none where nothing was dropped that could be one
 * @throws {Refusal} there is an image and it cannot be had, or there is only a link, or text of a page
 */
export async function filesIn(data) {
  // All of it at once: it is gone when the event is over.
  const files = [...data.files];
  const page = data.getData('text/html');
  const image = imageUrl(page);
  const link = urlOf(data.getData('text/uri-list').match(/^[^#\s].*$/m)?.[0]);
  if (files.length) return files;
  const url = image ?? link;
  if (!url && !page) return [];
  if (url && /^data:image\//i.test(url.href)) return [written(url.href)];
  if (!image) throw new Refusal('drag.link');
  // What is elsewhere stays there: asking for it would tell that site what is done here, and the page's policy forbids it.
  if (!/^https?:$/.test(url.protocol) || url.origin !== location.origin) {
    throw url.host ? new Refusal('drag.elsewhere', { place: url.host }) : new Refusal('drag.another');
  }
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok) throw new Refusal('drag.unfetched', { url: url.href });
  const name = decoded(url.pathname.split('/').at(-1));
  return [new File([await response.blob()], name, { type: response.headers.get('content-type') ?? '' })];
}

/** The URL of the first image in a piece of a page; nothing of it is loaded. */
function imageUrl(html) {
  const image = html && new DOMParser().parseFromString(html, 'text/html').querySelector('img[src]');
  return image ? urlOf(image.getAttribute('src')) : undefined;
}

function urlOf(text) {
  return text && URL.canParse(text) ? new URL(text) : undefined;
}

/** The image that a `data:` URL spells out. */
function written(url) {
  try {
    const [, type, base64, body] = /^data:([^;,]*)[^,]*?(;base64)?,(.*)$/is.exec(url);
    // An escape is a byte, and need not be one of UTF-8. Of other characters a URL has ASCII alone.
    const text = body.replace(/%([0-9a-f]{2})/gi, (_, byte) => String.fromCharCode(parseInt(byte, 16)));
    const bytes = Uint8Array.from(base64 ? atob(text) : text, (character) => character.charCodeAt(0));
    return new File([bytes], '', { type });
  } catch {
    throw new Refusal('drag.damaged');
  }
}

/** A part of a path as a person reads it; as it stands where its escapes are none. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
