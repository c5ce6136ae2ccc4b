/** The text in the tweet's images: read where somebody asks for it, with the first pane's model for the names in it. */
import { element } from './dom.js';
import { withoutUserNames } from './evidence.js';
import { nameOf } from './image.js';
import { ImageTextView } from './image-text-view.js';
import { OCR, ocrBytes } from './models.js';
import { UNREACHED } from './telling.js';
import { sentence } from './view.js';
import { megabytes, say, word } from './wording.js';

/**
 * @typedef {import('./image.js').ShownImage} ShownImage
 * @typedef {import('./image-text-view.js').Read} Read
 * @typedef {{mner: import('./mner.js').Recognizer, model: import('./models.js').Model}} By what reads
 * @typedef {{button: HTMLButtonElement, size: HTMLElement, offer: HTMLElement, view?: ImageTextView, read?: Read, text?: string,
 *     work?: AbortController}} One image: what offers to read it, and what came of it; `text` is what was told of
 */
export class ImageTexts {
  #parts;
  #announce;
  #onRead;
  #onText;
  /** @type {Map<ShownImage, One>} */
  #all = new Map();
  /** @type {By | undefined} */
  #by;
  /** Bytes of the reader, once this site is known to have one; 0 once they have been fetched. @type {number | undefined} */
  #bytes;
  #asking = false;
  #userNames = true;

  /**
   * @param {{section: HTMLElement, title: HTMLElement, list: HTMLElement, template: HTMLTemplateElement}} parts
   * @param {{announce: (words: string) => void, onRead: () => void, onText: (image: ShownImage, text: string) => void}} options
   *     `onRead`: the reader is there; `onText`: this is written in an image, told once
   */
  constructor(parts, { announce, onRead, onText }) {
    this.#parts = parts;
    this.#announce = announce;
    this.#onRead = onRead;
    this.#onText = onText;
  }

  /** What stands beside an image and offers to read it; the same for the same image. */
  offerFor(/** @type {ShownImage} */ image) {
    if (!this.#all.has(image)) {
      const button = element('button', { type: 'button', onclick: () => this.#ask(image) });
      const size = element('span', { className: 'quiet' });
      this.#all.set(image, { button, size, offer: element('p', { className: 'offer', hidden: true }, button, size) });
      this.#find();
    }
    this.#offer(image);
    return this.#all.get(image).offer;
  }

  /** Takes the tweet's images; of those that are gone, the text goes too. */
  keep(/** @type {ShownImage[]} */ images) {
    for (const [image, one] of this.#all) {
      if (images.includes(image)) continue;
      this.#drop(one);
      this.#all.delete(image);
    }
    this.#list();
  }

  /** Has another model read from now on, also what was read; without one, nothing can be. */
  use(/** @type {By | undefined} */ by) {
    if (this.#by?.mner === by?.mner) return;
    this.#by = by;
    for (const [image, one] of this.#all) {
      if (one.work) this.#drop(one);
      if (by && one.view) this.#read(image, one);
    }
    this.reword();
  }

  /** Shows names that are user names, or leaves them out. */
  showUserNames(on) {
    this.#userNames = on;
    for (const one of this.#all.values()) this.#draw(one);
  }

  /** Says everything again, in the language in use. */
  reword() {
    for (const [image, one] of this.#all) {
      this.#offer(image);
      one.view?.reword();
      this.#draw(one);
    }
    this.#list();
  }

  /** Finds out whether this site has a reader. */
  async #find() {
    if (this.#asking || this.#bytes !== undefined) return;
    this.#asking = true;
    this.#bytes = await ocrBytes();
    this.#asking = false;
    for (const image of this.#all.keys()) this.#offer(image);
  }

  #offer(image) {
    const { button, size, offer } = this.#all.get(image);
    word(button, 'written.read');
    button.ariaLabel = say('written.read.name', { name: nameOf(image) });
    word(size, this.#bytes ? 'written.size' : undefined, { size: megabytes(this.#bytes ?? 0) });
    offer.hidden = this.#bytes === undefined || !this.#by;
  }

  /** Reads an image, unless that was done, and shows it. */
  #ask(image) {
    const one = this.#all.get(image);
    if (!one.read && !one.work) this.#read(image, one);
    one.view.root.scrollIntoView({ block: 'nearest' });
  }

  async #read(image, /** @type {One} */ one) {
    const { mner, model } = this.#by;
    const work = (one.work = new AbortController());
    const announce = this.#announce;
    one.view ??= new ImageTextView(this.#parts.template, image, { announce, onRetry: () => this.#by && this.#read(image, one) });
    one.read = undefined;
    one.view.busy();
    this.#list();
    announce(say('written.reading'));
    try {
      const onProgress = (progress) => one.work === work && one.view.busy(progress);
      const reading = await mner.readImage(image.blob, { ocr: OCR, signal: work.signal, onProgress });
      if (one.work !== work) return;
      one.work = undefined;
      one.read = { reading, model };
      this.#draw(one);
      if (reading.text && reading.text !== one.text) this.#onText(image, reading.text);
      one.text = reading.text;
      announce(told(this.#wanted(one.read).reading));
      // Who went on to something else is not to be disturbed.
      if (document.activeElement === one.button) one.view.root.scrollIntoView({ block: 'nearest' });
      if (!this.#bytes) return;
      this.#bytes = 0;
      for (const other of this.#all.keys()) this.#offer(other);
      this.#onRead();
    } catch (error) {
      if (one.work !== work) return;
      one.work = undefined;
      one.view.fail(!navigator.onLine && UNREACHED.includes(error.code) ? { key: 'written.offline' } : error);
    }
  }

  /** Shows what was read in an image, if it was. */
  #draw(/** @type {One} */ { view, read }) {
    if (read) view.show(this.#wanted(read));
  }

  /** The same as it is to be shown. */
  #wanted(/** @type {Read} */ read) {
    return this.#userNames ? read : { ...read, reading: withoutUserNames(read.reading) };
  }

  /** Takes away what came of an image, and ends what is coming. */
  #drop(/** @type {One} */ one) {
    const { work, view } = one;
    one.work = one.view = one.read = undefined;
    work?.abort();
    view?.root.remove();
  }

  /** Lists the images that were read, in their order. */
  #list() {
    const { section, title, list } = this.#parts;
    const views = [...this.#all.values()].flatMap(({ view }) => view ?? []);
    section.hidden = !views.length;
    word(title, 'written', { count: views.length });
    views.forEach(({ root }, i) => list.children[i] !== root && list.insertBefore(root, list.children[i] ?? null));
  }
}

/** What was read in a sentence or two, for the live region. */
function told(/** @type {Read['reading']} */ { lines, text, entities }) {
  if (!lines.length) return say('written.none');
  return `${say('written.found', { count: lines.length })} ${sentence(text, entities)}`;
}
