/** The tweets read in this visit with their answers: in memory alone, and gone with the page. */

/** Most tweets, and most bytes of images, texts and answers, that are held; then the oldest are let go. */
export const MOST = { tweets: 100, bytes: 64 << 20 };
/** What an entity of an answer takes, about. */
const ENTITY = 500;

/**
 * @typedef {import('./composer.js').Input} Input
 * @typedef {import('./image.js').Given} Given
 * @typedef {import('./mner.js').Recognition} Recognition
 * @typedef {import('./models.js').Model} Model
 * @typedef {{tweet: number, text: string, images: Given[], caption?: string, written?: string, recognition: Recognition, model: Model}} Read
 *     images are the very blobs that the composer has: nothing is held twice
 */
export class Visit {
  /** @type {Read[]} */
  #all = [];

  /** The newest last. */
  get all() {
    return this.#all;
  }

  /** Keeps an answer, in place of an earlier one to the same tweet: one that was edited since, or the same again. */
  record(/** @type {Input} */ { tweet, text, images, caption, written }, /** @type {Recognition} */ recognition, /** @type {Model} */ model) {
    const given = images.map(({ blob, described }) => ({ blob, described }));
    const read = { tweet, text, images: given, caption, written, recognition, model };
    this.#all = [...this.#all.filter((one) => one.tweet !== tweet && !alike(one, read)), read];
    while (this.#all.length > 1 && (this.#all.length > MOST.tweets || bytesOf(this.#all) > MOST.bytes)) this.#all = this.#all.slice(1);
  }

  clear() {
    this.#all = [];
  }
}

function alike(a, b) {
  const same = a.images.length === b.images.length && a.images.every(({ blob }, i) => blob === b.images[i].blob);
  return same && a.text === b.text && a.caption === b.caption && a.written === b.written;
}

/** Bytes that are held, each image once. */
function bytesOf(/** @type {Read[]} */ all) {
  const images = new Set(all.flatMap(({ images }) => images.map(({ blob }) => blob)));
  const words = all.reduce((sum, { text, recognition }) => sum + 2 * text.length + ENTITY * recognition.entities.length, 0);
  return [...images].reduce((sum, { size }) => sum + size, words);
}
