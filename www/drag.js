/** What a drag brings that is a picture: a file, or a picture of a page as far as its bytes can be had. */

/**
 * @param {DataTransfer} data of a `drop`
 * @returns {Promise<File | undefined>} `undefined` where nothing was dropped that could be one
 * @throws {Error} in words: there is a picture and it cannot be had, or there is only a link
 */
export async function pictureIn(data) {
  // All of it at once: it is gone when the event is over.
  const [file] = data.files;
  const picture = pictureUrl(data.getData('text/html'));
  const link = urlOf(data.getData('text/uri-list').match(/^[^#\s].*$/m)?.[0]);
  if (file) return file;
  const url = picture ?? link;
  if (!url) return undefined;
  if (/^data:image\//i.test(url.href)) return written(url.href);
  if (!picture) throw new Error('Only pictures can be dropped here. A link can be dropped into the field above, as text.');
  // What is elsewhere stays there: asking for it would tell that site what is done here, and the page's policy forbids it.
  if (!/^https?:$/.test(url.protocol) || url.origin !== location.origin) {
    const place = url.host || 'another page';
    throw new Error(`That picture is on ${place}, and this page fetches nothing from there. Copy it and paste it here, or save it and drop the file.`);
  }
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok) throw new Error(`The picture at ${url} cannot be fetched. Save it and drop the file here.`);
  const name = decodeURIComponent(url.pathname.split('/').at(-1));
  return new File([await response.blob()], name, { type: response.headers.get('content-type') ?? '' });
}

/** The URL of the first picture in a piece of a page; nothing of it is loaded. */
function pictureUrl(html) {
  const picture = html && new DOMParser().parseFromString(html, 'text/html').querySelector('img[src]');
  return picture ? urlOf(picture.getAttribute('src')) : undefined;
}

function urlOf(text) {
  return text && URL.canParse(text) ? new URL(text) : undefined;
}

/** The picture that a `data:` URL spells out. */
function written(url) {
  const [, type, base64, body] = /^data:([^;,]*)[^,]*?(;base64)?,(.*)$/is.exec(url);
  try {
    const text = decodeURIComponent(body);
    const bytes = base64 ? Uint8Array.from(atob(text), (character) => character.charCodeAt(0)) : new TextEncoder().encode(text);
    return new File([bytes], 'The picture', { type });
  } catch {
    throw new Error('That picture is damaged. Save it and drop the file here.');
  }
}
