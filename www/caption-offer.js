/** Offers to write the caption: the first image that can be looked at is described by what comes with the models. */
import { CAPTIONER, captionerBytes } from './models.js';
import { UNREACHED } from './telling.js';
import { megabytes, say, word } from './wording.js';

/**
 * @typedef {import('./image.js').ShownImage} ShownImage
 * @typedef {import('./mner.js').Recognizer} Recognizer
 */
export class CaptionOffer {
  #parts;
  #on;
  /** @type {ShownImage[]} */
  #images = [];
  /** @type {Recognizer | undefined} */
  #mner;
  /** Bytes of the captioner, once this site is known to have one; 0 once they have been fetched. @type {number | undefined} */
  #bytes;
  #asked = false;
  /** @type {AbortController | undefined} */
  #work;

  /**
   * @param {{offer: HTMLElement, button: HTMLButtonElement, note: HTMLElement}} parts
   * @param {{onCaption: (caption: string) => void, announce: (words: string) => void, onRead: () => void}} on `onRead`: the
   *     captioner is there
   */
  constructor(parts, on) {
    this.#parts = parts;
    this.#on = on;
    parts.button.onclick = () => this.#describe();
  }

  /** Takes the tweet's images. */
  keep(/** @type {ShownImage[]} */ images) {
    if (images[0] !== this.#images[0]) this.#stop();
    this.#images = images;
    this.#offer();
  }

  /** Has this recogniser look at the images from now on; without one that reads captions and images, nothing is offered. */
  use(/** @type {Recognizer | undefined} */ mner) {
    if (mner === this.#mner) return;
    this.#stop();
    this.#mner = mner;
    this.#find();
    this.#offer();
  }

  /** Finds out whether this site has a captioner. */
  async #find() {
    if (this.#asked || !this.#mner) return;
    this.#asked = true;
    this.#bytes = await captionerBytes();
    this.#offer();
  }

  #offer() {
    const { offer, button } = this.#parts;
    offer.hidden = this.#bytes === undefined || !this.#mner || !this.#images.length;
    button.disabled = Boolean(this.#work);
    if (!this.#work) this.#note(this.#bytes ? 'written.size' : undefined, { size: megabytes(this.#bytes ?? 0) });
  }

  #note(/** @type {import('./wording.js').Key | undefined} */ key, values = {}) {
    const { note } = this.#parts;
    word(note, key, values);
    note.hidden = !key;
  }

  /** Notes something, also for those who cannot see. */
  #tell(/** @type {import('./wording.js').Key} */ key, values = {}) {
    this.#note(key, values);
    this.#on.announce(say(key, values));
  }

  async #describe() {
    const work = (this.#work = new AbortController());
    this.#offer();
    this.#tell('caption.writing');
    try {
      const { caption } = await this.#mner.describeImage(this.#images[0].blob, { captioner: CAPTIONER, signal: work.signal });
      if (this.#work !== work) return;
      this.#work = undefined;
      if (this.#bytes) this.#on.onRead();
      this.#bytes = 0;
      this.#offer();
      if (!caption) {
        this.#tell('caption.none');
        return;
      }
      this.#on.onCaption(caption.text);
      this.#on.announce(say('caption.written', { caption: caption.text }));
    } catch (error) {
      if (this.#work !== work) return;
      this.#work = undefined;
      this.#offer();
      const offline = !navigator.onLine && UNREACHED.includes(error.code);
      this.#tell(offline ? 'caption.offline' : 'caption.failed', { message: error.message });
    }
  }

  /** Gives up what is being written. */
  #stop() {
    this.#work?.abort();
    this.#work = undefined;
  }
}
