/**
 * Reads one input with one model. The models read a tweet with one image at a time, so a tweet with several has a reading for
 * each; as on the command line, the first that can be read is the one that counts unless somebody chooses.
 *
 * @typedef {import('./composer.js').Input} Input
 * @typedef {import('./image.js').ShownImage} ShownImage
 * @typedef {import('./mner.js').Recognition} Recognition
 * @typedef {{caption?: string, written?: string}} Said what an image shows, and what is written in it
 * @typedef {{image?: ShownImage, full?: Recognition, problem?: string}} Reading
 *     `full` is the answer with the image and what is said of it; `problem` says why there is none
 * @typedef {{input: Input, base?: Recognition, readings: Reading[]}} Answer
 *     `base` is the answer to the text alone; without an image, and without a caption or text in an image that the model reads, there
 *     are no readings
 */
import { readsCaptions, readsImages } from './models.js';

/** Errors of fetching what encodes images. */
const UNFETCHED = ['network', 'not-found', 'truncated', 'bundle'];

export class Reader {
  #mner;
  /** What could not be looked at, and why; `undefined` for what could. @type {WeakMap<Blob, string | undefined>} */
  #looked = new WeakMap();

  /** @param {import('./mner.js').Recognizer} mner */
  constructor(mner) {
    this.#mner = mner;
  }

  /** What the model can do. */
  get abilities() {
    const { manifest } = this.#mner;
    return { images: readsImages(manifest), captions: readsCaptions(manifest) };
  }

  /**
   * Answers an input: at once what is quick, and what needs an image when it has been looked at.
   * @param {Input} input
   * @param {object} how
   * @param {ShownImage} [how.picked] whose reading comes first
   * @param {(answer: Answer) => boolean} how.show is given the answer as far as it is there, the same object each time; false
   *     where something newer is to be read
   * @param {AbortSignal} how.signal gives up what is being read
   * @param {(progress: {part: string, loaded: number, total: number}) => void} how.onProgress
   */
  async read(input, { picked, show, signal, onProgress }) {
    const { text, images } = input;
    const said = this.abilities.captions ? saidOf(input) : undefined;
    /** @type {Answer} */
    const answer = { input, readings: [] };
    if (this.abilities.images) answer.readings = images.map((image) => ({ image, problem: this.#looked.get(image.blob) }));
    if (!answer.readings.length && said) answer.readings = [{}];
    const recognize = (more) => this.#mner.recognize({ text, ...more }, { signal, onProgress });
    if (!text.trim()) {
      show(answer);
      return;
    }
    const first = readingOf(answer, picked);
    if (!first || first.problem || (first.image && !this.#looked.has(first.image.blob))) {
      answer.base = await recognize({});
      if (!show(answer)) return;
    }
    for (const reading of new Set([first, ...answer.readings])) {
      if (!reading || reading.problem) continue;
      const blob = reading.image?.blob;
      // What encodes images may be fetched with the next text, where it was not now.
      let looked = true;
      try {
        reading.full = await recognize({ ...(blob && { image: blob }), ...said });
      } catch (error) {
        if (error.code === 'closed' || signal.aborted) throw error;
        reading.problem = error.message;
        looked = !UNFETCHED.includes(error.code);
      }
      if (blob && looked) this.#looked.set(blob, reading.problem);
      if (reading.full && !show(answer)) return;
      if (answer.base && reading.full) continue;
      answer.base ??= await recognize({});
      if (!show(answer)) return;
    }
  }
}

/**
 * What is said of the images, if something is.
 * @param {Said} input
 * @returns {Said | undefined}
 */
export function saidOf({ caption, written }) {
  return caption || written ? { caption, written } : undefined;
}

/**
 * The reading that is to be shown: that of the image which was chosen, or else the first that is possible.
 * @param {Answer} answer
 * @param {ShownImage} [chosen]
 * @returns {Reading | undefined}
 */
export function readingOf({ readings }, chosen) {
  return readings.find(({ image }) => image && image === chosen) ?? readings.find(({ problem }) => !problem) ?? readings[0];
}
