/** What a person puts in: a tweet, its pictures and perhaps a caption. */
import { byId, element } from './dom.js';
import { takeIn } from './intake.js';
import { MOST, nameOf, opened, sizeOf } from './picture.js';
import { kindOf, textOf } from './text-file.js';
import { Refusal, say, word } from './wording.js';

const PAUSE = 120;

/**
 * @typedef {import('./picture.js').Picture} Picture
 * @typedef {import('./picture.js').Given} Given
 * @typedef {{text: string, pictures: Picture[], caption?: string, tweet: number}} Input
 *     `tweet` stays the same while one tweet is written, and is another's for what takes its place
 */
export class Composer {
  #$;
  #onInput;
  #announce;
  #typing;
  /** @type {Picture[]} */
  #pictures = [];
  /** @type {Input} what was told last */
  #told;
  #tweet = 0;
  /** Counts what takes the place of everything, so that what loads slowly cannot come in after it. */
  #turn = 0;

  /**
   * @param {(id: string) => HTMLElement} $
   * @param {{onInput: (input: Input) => void, announce: (words: string) => void}} options
   */
  constructor($, { onInput, announce }) {
    this.#$ = $;
    this.#onInput = onInput;
    this.#announce = announce;
    for (const id of ['tweet', 'caption']) $(id).addEventListener('input', () => this.#soon());
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

  /** Shows the field for a caption, or hides it. */
  offerCaption(offered) {
    if (this.#$('caption-field').hidden !== offered) return;
    this.#$('caption-field').hidden = !offered;
    this.#now();
  }

  /** Puts another tweet in place of this one, with its pictures and, if it has one, its caption. */
  async fill(text, /** @type {Given[]} */ given = [], caption = '') {
    this.#tweet++;
    const turn = ++this.#turn;
    this.#$('tweet').value = text;
    this.#$('caption').value = caption;
    this.complain(undefined);
    const pictures = await this.#open(given, turn);
    if (!pictures) return;
    this.#release(this.#pictures);
    this.#pictures = pictures;
    this.#listed();
  }

  /** Takes pictures beside those that are there, and the text of a text file in place of what is in the field. */
  async takeFiles(/** @type {File[]} */ files) {
    if (!files.length) return;
    const turn = this.#turn;
    this.complain(undefined);
    const kinds = await Promise.all(files.map(kindOf));
    if (turn !== this.#turn) return;
    const [texts, pictures] = ['text', 'picture'].map((kind) => files.filter((_, i) => kinds[i] === kind));
    if (texts.length > 1) this.complain(new Refusal('text.many'));
    else if (texts.length) await this.#takeText(texts[0], turn);
    if (pictures.length && turn === this.#turn) await this.#add(pictures.map((blob) => ({ blob })), turn);
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

  /** Attaches pictures once the browser can show them, as many as a tweet may have, and says why where it cannot. */
  async #add(given, turn) {
    const pictures = await this.#open(given, turn);
    if (!pictures) return;
    const room = MOST - this.#pictures.length;
    const [taken, left] = [pictures.slice(0, room), pictures.slice(room)];
    this.#release(left);
    if (left.length) this.complain(new Refusal('picture.many', { most: MOST }));
    if (!taken.length) return;
    this.#pictures = [...this.#pictures, ...taken];
    this.#announce(say('picture.added', { count: taken.length }));
    this.#listed();
  }

  /**
   * Opens pictures, and says what is wrong with the first that cannot be.
   * @returns {Promise<Picture[] | undefined>} nothing where something newer has come meanwhile
   */
  async #open(given, turn) {
    const all = await Promise.allSettled(given.map(opened));
    const pictures = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    if (turn !== this.#turn) {
      this.#release(pictures);
      return undefined;
    }
    const failed = all.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') this.complain(failed.reason);
    return pictures;
  }

  #remove(picture) {
    const at = this.#pictures.indexOf(picture);
    this.complain(undefined);
    this.#pictures = this.#pictures.filter((one) => one !== picture);
    this.#announce(say('picture.removed'));
    this.#listed();
    this.#release([picture]);
    const buttons = this.#$('pictures').querySelectorAll('button');
    (buttons[Math.min(at, buttons.length - 1)] ?? this.#$('choose')).focus();
  }

  #release(pictures) {
    for (const { url } of pictures) URL.revokeObjectURL(url);
  }

  /** Shows which pictures there are, and tells of them. */
  #listed() {
    this.reword();
    this.#now();
  }

  /** Lists the pictures, in the language in use. */
  reword() {
    const items = this.#pictures.map((picture) => {
      const name = nameOf(picture);
      const remove = element('button', { type: 'button', className: 'remove', ariaLabel: say('picture.remove.name', { name }) }, say('picture.remove'));
      remove.onclick = () => this.#remove(picture);
      const words = [element('span', { className: 'picture-name' }, name), element('span', { className: 'picture-size quiet' }, sizeOf(picture))];
      return element('li', {}, element('img', { src: picture.url, alt: '' }), element('p', {}, ...words), remove);
    });
    this.#$('pictures').replaceChildren(...items);
    this.#$('pictures').hidden = !items.length;
    word(this.#$('choose'), items.length ? 'picture.more' : 'picture.add');
    byId(HTMLButtonElement, 'choose').disabled = items.length >= MOST;
  }

  /**
   * Says what is wrong with what was given, or that nothing is.
   * @param {Refusal} [refusal]
   */
  complain(refusal) {
    if (refusal && !(refusal instanceof Refusal)) throw refusal;
    word(this.#$('picture-problem'), refusal?.key, refusal?.values);
    this.#$('picture-problem').hidden = !refusal;
  }

  #soon() {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#now(), PAUSE);
  }

  #now() {
    clearTimeout(this.#typing);
    const { text } = this;
    const pictures = this.#pictures;
    const caption = this.#$('caption-field').hidden ? undefined : this.#$('caption').value.trim() || undefined;
    const told = this.#told;
    if (told && text === told.text && pictures === told.pictures && caption === told.caption) return;
    if (told && !edited(told.text, text)) this.#tweet++;
    this.#told = { text, pictures, caption, tweet: this.#tweet };
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
