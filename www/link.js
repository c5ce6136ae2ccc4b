/** Links that hold a tweet: in the fragment, which browsers send to no server. */
import { Refusal } from './wording.js';

const BEGIN = '#text=';
/** Characters of a link; many programs cut longer ones. */
export const LONGEST = 8000;

/**
 * A link to this page with a tweet in it. Half a character, which no link can hold, becomes U+FFFD.
 * @param {string} text
 * @throws {Refusal} where it would be too long
 */
export function linkTo(text, page = location.href) {
  const url = new URL(page);
  url.hash = '';
  const link = `${url.href}${BEGIN}${encodeURIComponent(text.toWellFormed())}`;
  if (link.length > LONGEST) throw new Refusal('link.long', { length: link.length, most: LONGEST });
  return link;
}

/**
 * The tweet in a fragment.
 * @param {string} hash as `location.hash` gives it
 * @returns {string | undefined} `undefined` if it holds none
 * @throws {Refusal} where it is too long or damaged
 */
export function textIn(hash) {
  if (!hash.startsWith(BEGIN)) return undefined;
  if (hash.length > LONGEST) throw new Refusal('link.long', { length: hash.length, most: LONGEST });
  try {
    return decodeURIComponent(hash.slice(BEGIN.length));
  } catch {
    throw new Refusal('link.damaged');
  }
}
