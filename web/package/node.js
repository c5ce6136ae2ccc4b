/**
 * mner in Node 20 or later, on the CPU: the same class as in a page, with its Worker as a thread.
 *
 *     import { Recognizer } from '@mner/mner/node';
 *     const mner = await Recognizer.load('models/hamlearning');
 *     const { entities } = await mner.recognize({ text: 'Sunita Williams is back in Houston', image: await readFile('photo.jpg') });
 *
 * A model is a folder on disk, or the URL of one (`https:`, `file:`); nothing is kept of what is downloaded. Images are JPEG, PNG,
 * WebP and GIF. A recogniser that nobody waits for does not keep the process alive.
 */
import { MnerError, Recognizer as Anywhere } from './mner.js';
import * as platform from './node-platform.js';

export { MnerError };

/** @typedef {import('./mner.js').Input} Input */
/** @typedef {import('./mner.js').Recognition} Recognition */
/** @typedef {import('./mner.js').ImageReading} ImageReading */
/**
 * @template T
 * @typedef {import('./mner.js').Answered<T>} Answered
 */

export class Recognizer extends Anywhere {
  /** @internal */
  static platform = platform;
}
