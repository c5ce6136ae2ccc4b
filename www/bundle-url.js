/** Where a model is. */
import { MnerError } from './errors.js';

/**
 * The URL of a model's folder, in which file names are resolved. Its query, or else that of `models`, is every file's.
 * @param {{locate: (url: string | URL, base?: URL) => URL}} platform
 * @param {string | URL} url relative to `models`, if that is given
 * @param {string | URL} [models]
 * @throws {MnerError}
 */
export function folder(platform, url, models) {
  const base = models === undefined ? undefined : located(platform, models);
  const absolute = located(platform, url, base);
  absolute.search ||= base?.search ?? '';
  return absolute.href;
}

/** An absolute URL whose path ends in a slash. */
function located(platform, url, base) {
  let absolute;
  try {
    // Anything else would become a string, `undefined` too.
    if (typeof url !== 'string' && typeof url?.href !== 'string') throw new TypeError('no URL');
    absolute = platform.locate(url, base);
    // The URL of one file alone, `data:` or `blob:`, has none beside it.
    new URL('manifest.json', absolute);
  } catch {
    throw new MnerError('input', `“${url}” is no URL of a folder here. Pass the whole URL of the model’s folder.`);
  }
  if (!absolute.pathname.endsWith('/')) absolute.pathname += '/';
  absolute.hash = '';
  return absolute;
}
