/** An image as the module is given one, and as it crosses to the Worker. */
import { MnerError } from './errors.js';

/** @typedef {Blob | ArrayBuffer | ArrayBufferView} GivenImage */

/** A number for every image object there ever was. */
const numbers = new WeakMap();
let lastNumber = 0;

/** @throws {MnerError} where it is no image at all */
export function requireImage(image) {
  if (image instanceof Blob || image instanceof ArrayBuffer || ArrayBuffer.isView(image)) return;
  throw new MnerError('input', 'image must be a File, a Blob, an ArrayBuffer or a Uint8Array.');
}

/** The number of an image object; the same object has the same. */
export function numberOf(/** @type {GivenImage} */ image) {
  if (!numbers.has(image)) numbers.set(image, ++lastNumber);
  return numbers.get(image);
}

/**
 * What is sent to the Worker: a blob crosses without its bytes. Of a view on a larger buffer the whole buffer would cross.
 * @param {GivenImage} given
 * @returns {{image: Blob | Uint8Array, transfer: Transferable[]}}
 */
export function crossing(given) {
  if (given instanceof Blob) return { image: given, transfer: [] };
  const image = copied(given);
  return { image, transfer: [image.buffer] };
}

/** A copy of the bytes of a buffer or a view. */
function copied(image) {
  const { buffer = image, byteOffset = 0, byteLength } = image;
  try {
    return new Uint8Array(buffer, byteOffset, byteLength).slice();
  } catch {
    throw new MnerError('input', 'The image’s buffer was handed on elsewhere. Pass one that still has its bytes.');
  }
}
