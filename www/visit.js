/** The tweets read in this visit with their answers: in memory alone, and gone with the page. */

/** Most tweets, and most bytes of pictures, texts and answers, that are held; then the oldest are let go. */
export const MOST = { tweets: 100, bytes: 64 << 20 };
/** What an entity of an answer takes, about. */
const ENTITY = 500;

/**
 * @typedef {import('./composer.js').Input} Input
 * @typedef {import('./picture.js').Given} Given
 * @typedef {import('./mner.js').Recognition} Recognition
 * @typedef {import('./models.js').Model} Model
 * @typedef {{tweet: number, text: string, pictures: Given[], caption?: string, recognition: Recognition, model: Model}} Read
 *     pictures are the very blobs that the composer has: nothing is held twice
 */
export class Visit {
  /** @type {Read[]} */
  #all = [];

  /** The newest last. */
  get all() {
    return this.#all;
  }

  /** Keeps an answer, in place of an earlier one to the same tweet: one that was edited since, or the same again. */
  record(/** @type {Input} */ { tweet, text, pictures, caption }, /** @type {Recognition} */ recognition, /** @type {Model} */ model) {
    const given = pictures.map(({ blob, described }) => ({ blob, described }));
    const read = { tweet, text, pictures: given, caption, recognition, model };
    this.#all = [...this.#all.filter((one) => one.tweet !== tweet && !alike(one, read)), read];
    while (this.#all.length > 1 && (this.#all.length > MOST.tweets || bytesOf(this.#all) > MOST.bytes)) this.#all = this.#all.slice(1);
  }

  clear() {
    this.#all = [];
  }
}

function alike(a, b) {
  const same = a.pictures.length === b.pictures.length && a.pictures.every(({ blob }, i) => blob === b.pictures[i].blob);
  return same && a.text === b.text && a.caption === b.caption;
}

/** Bytes that are held, each picture once. */
function bytesOf(/** @type {Read[]} */ all) {
  const pictures = new Set(all.flatMap(({ pictures }) => pictures.map(({ blob }) => blob)));
  const words = all.reduce((sum, { text, recognition }) => sum + 2 * text.length + ENTITY * recognition.entities.length, 0);
  return [...pictures].reduce((sum, { size }) => sum + size, words);
}
