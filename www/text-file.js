/** Text files: which files are some, and what they hold. */
import { formatOf, headOf } from './image-file.js';
import { Refusal } from './wording.js';

/** Bytes of a text file. */
export const MOST_BYTES = 4_000_000;

/** How a file in UTF-16 begins. A decoder takes the mark of UTF-8 away by itself. */
const MARKS = { 'utf-16le': [0xff, 0xfe], 'utf-16be': [0xfe, 0xff] };

/**
 * What a file is to be taken for. What calls itself an image is one, to be refused in words if it is not; what calls itself
 * nothing is judged by its bytes.
 * @param {File | Blob} file
 * @returns {Promise<'text' | 'image'>}
 */
export async function kindOf(file) {
  if (file.type.startsWith('image/')) return 'image';
  if (file.type.startsWith('text/') || /\.(txt|text)$/i.test(nameOf(file))) return 'text';
  const head = await headOf(file).catch(() => new Uint8Array());
  return formatOf(head) === undefined && head.length && !head.includes(0) && decoded(head, 'utf-8', { whole: false }) !== undefined ? 'text' : 'image';
}

/**
 * The text in a file: UTF-8, or UTF-16 that says so.
 * @param {File | Blob} file
 * @throws {Refusal} where it is too large, cannot be read or is no text
 */
export async function textOf(file) {
  const name = nameOf(file);
  if (file.size > MOST_BYTES) throw new Refusal('text.large', { name, most: MOST_BYTES / 1e6 });
  const bytes = await file.arrayBuffer().then((buffer) => new Uint8Array(buffer), () => undefined);
  if (!bytes) throw new Refusal('file.gone', { name });
  const encoding = Object.keys(MARKS).find((one) => MARKS[one].every((byte, i) => byte === bytes[i])) ?? 'utf-8';
  const text = decoded(bytes, encoding);
  if (text === undefined || text.includes('\0')) throw new Refusal('text.undecodable', { name });
  if (!text.trim()) throw new Refusal('text.empty', { name });
  return text;
}

/** The name of a file, or nothing where it has none. */
function nameOf(file) {
  return file.name ?? '';
}

function decoded(bytes, encoding, { whole = true } = {}) {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: !whole });
  } catch {
    return undefined;
  }
}
