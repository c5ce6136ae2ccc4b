/** What a person puts in: a tweet, its images and perhaps what is said of these. */
import { byId, element } from './dom.js';
import { takeIn } from './intake.js';
import { MOST, nameOf, opened, sizeOf } from './image.js';
import { kindOf, textOf } from './text-file.js';
import { Refusal, say, word } from './wording.js';

const PAUSE = 120;
/** The fields for what is said of the images. */
const SAID = /** @type {const} */ ({ caption: 'caption', written: 'written-words' });

/**
 * @typedef {import('./image.js').ShownImage} ShownImage
 * @typedef {import('./image.js').Given} Given
 * @typedef {{text: string, images: ShownImage[], caption?: string, written?: string, tweet: number}} Input
 *     `tweet` stays the same while one tweet is written, and is another's for what takes its place
 */
export class Composer {
  #$;
  #onInput;
  #announce;
  #beside;
  #typing;
  /** @type {ShownImage[]} */
  #images = [];
  /** @type {Input} what was told last */
  #told;
  #tweet = 0;
  /** Counts what takes the place of everything, so that what loads slowly cannot come in after it. */
  #turn = 0;

  /**
   * @param {(id: string) => HTMLElement} $
   * @param {{onInput: (input: Input) => void, announce: (words: string) => void, beside: (image: ShownImage) => HTMLElement}} options
   *     `beside` gives what more can be done with an image
   */
  constructor($, { onInput, announce, beside }) {
    this.#$ = $;
    this.#onInput = onInput;
    this.#announce = announce;
    this.#beside = beside;
    for (const id of ['tweet', ...Object.values(SAID)]) $(id).addEventListener('input', () => this.#soon());
    for (const [button, input] of [['choose', 'file'], ['open-text', 'text-file']]) {
      const file = byId(HTMLInputElement, input);
      $(button).onclick = () => file.click();
      file.onchange = () => {
        this.takeFiles([...file.files]);
        // So that choosing the same file again is a change.
        file.value = '';
      };
    }
    takeIn((files) => {
      // Whatever takes the place of everything meanwhile is what is wanted.
      const turn = this.#turn;
      files.then(
        (all) => turn === this.#turn && this.takeFiles(all),
        (refusal) => turn === this.#turn && this.complain(refusal),
      );
    });
    // What the browser has kept from before a reload.
    this.#now();
  }

  /** The tweet as it stands. */
  get text() {
    return this.#$('tweet').value;
  }

  /** Shows the fields for what is said of the images, or hides them. */
  offerSaid(offered) {
    if (this.#$('said').hidden !== offered) return;
    this.#$('said').hidden = !offered;
    this.#now();
  }

  /** Puts something else into the field for what an image shows, or what is written in it. */
  suggest(/** @type {keyof typeof SAID} */ what, /** @type {string} */ words) {
    this.#$(SAID[what]).value = words;
    this.#now();
  }

  /** Puts another tweet in place of this one, with its images and what is said of them. */
  async fill(text, /** @type {Given[]} */ given = [], /** @type {import('./reader.js').Said} */ said = {}) {
    this.#tweet++;
    const turn = ++this.#turn;
    this.#$('tweet').value = text;
    for (const [what, id] of Object.entries(SAID)) this.#$(id).value = said[what] ?? '';
    this.complain(undefined);
    const images = await this.#open(given, turn);
    if (!images) return;
    this.#release(this.#images);
    this.#images = images;
    this.#listed();
  }

  /** Takes images beside those that are there, and the text of a text file in place of what is in the field. */
  async takeFiles(/** @type {File[]} */ files) {
    if (!files.length) return;
    const turn = this.#turn;
    this.complain(undefined);
    const kinds = await Promise.all(files.map(kindOf));
    if (turn !== this.#turn) return;
    const [texts, images] = ['text', 'image'].map((kind) => files.filter((_, i) => kinds[i] === kind));
    if (texts.length > 1) this.complain(new Refusal('text.many'));
    else if (texts.length) await this.#takeText(texts[0], turn);
    if (images.length && turn === this.#turn) await this.#add(images.map((blob) => ({ blob })), turn);
  }

  async #takeText(file, turn) {
    try {
      const text = await textOf(file);
      if (turn !== this.#turn) return;
      this.#tweet++;
      this.#$('tweet').value = text;
      this.#announce(say('text.taken', { name: file.name }));
      this.#now();
    } catch (refusal) {
      if (turn === this.#turn) this.complain(refusal);
    }
  }

  /** Attaches images once the browser can show them, as many as a tweet may have, and says why where it cannot. */
  async #add(given, turn) {
    const images = await this.#open(given, turn);
    if (!images) return;
    const room = MOST - this.#images.length;
    const [taken, left] = [images.slice(0, room), images.slice(room)];
    this.#release(left);
    if (left.length) this.complain(new Refusal('image.many', { most: MOST }));
    if (!taken.length) return;
    this.#images = [...this.#images, ...taken];
    this.#announce(say('image.added', { count: taken.length }));
    this.#listed();
  }

  /**
   * Opens images, and says what is wrong with the first that cannot be.
   * @returns {Promise<ShownImage[] | undefined>} nothing where something newer has come meanwhile
   */
  async #open(given, turn) {
    const all = await Promise.allSettled(given.map(opened));
    const images = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    if (turn !== this.#turn) {
      this.#release(images);
      return undefined;
    }
    const failed = all.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') this.complain(failed.reason);
    return images;
  }

  #remove(image) {
    const at = this.#images.indexOf(image);
    this.complain(undefined);
    this.#images = this.#images.filter((one) => one !== image);
    this.#announce(say('image.removed'));
    this.#listed();
    this.#release([image]);
    const buttons = this.#$('images').querySelectorAll('.remove');
    /** @type {HTMLElement} */ (buttons[Math.min(at, buttons.length - 1)] ?? this.#$('choose')).focus();
  }

  #release(images) {
    for (const { url } of images) URL.revokeObjectURL(url);
  }

  /** Shows which images there are, and tells of them. */
  #listed() {
    this.reword();
    this.#now();
  }

  /** Lists the images, in the language in use. */
  reword() {
    const items = this.#images.map((image) => {
      const name = nameOf(image);
      const remove = element('button', { type: 'button', className: 'remove', ariaLabel: say('image.remove.name', { name }) }, say('image.remove'));
      remove.onclick = () => this.#remove(image);
      const words = [element('span', { className: 'image-name' }, name), element('span', { className: 'image-size quiet' }, sizeOf(image))];
      return element('li', {}, element('img', { src: image.url, alt: '' }), element('p', {}, ...words), remove, this.#beside(image));
    });
    this.#$('images').replaceChildren(...items);
    this.#$('images').hidden = !items.length;
    word(this.#$('choose'), items.length ? 'image.more' : 'image.add');
    byId(HTMLButtonElement, 'choose').disabled = items.length >= MOST;
  }

  /**
   * Says what is wrong with what was given, or that nothing is.
   * @param {Refusal} [refusal]
   */
  complain(refusal) {
    if (refusal && !(refusal instanceof Refusal)) throw refusal;
    word(this.#$('image-problem'), refusal?.key, refusal?.values);
    this.#$('image-problem').hidden = !refusal;
  }

  #soon() {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#now(), PAUSE);
  }

  #now() {
    clearTimeout(this.#typing);
    const { text } = this;
    const images = this.#images;
    const hidden = this.#$('said').hidden;
    const [caption, written] = Object.values(SAID).map((id) => (hidden ? undefined : this.#$(id).value.trim() || undefined));
    const told = this.#told;
    if (told && text === told.text && images === told.images && caption === told.caption && written === told.written) return;
    if (told && !edited(told.text, text)) this.#tweet++;
    this.#told = { text, images, caption, written, tweet: this.#tweet };
    this.#onInput(this.#told);
  }
}

/** Whether a text is what somebody makes of another by editing it: they begin and end alike for half of the shorter. */
function edited(before, after) {
  const shorter = Math.min(before.length, after.length);
  if (before === after) return true;
  let [begin, end] = [0, 0];
  while (begin < shorter && before[begin] === after[begin]) begin++;
  while (end < shorter - begin && before.at(-1 - end) === after.at(-1 - end)) end++;
  return shorter > 0 && 2 * (begin + end) >= shorter;
}
