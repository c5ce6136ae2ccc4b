/** Shows the text that was read in one image: its lines on the image, and the names in it. */
import { copied } from './dom.js';
import { copyBy } from './export.js';
import { altOf, nameOf } from './image.js';
import { drawLines, widthOf } from './image-view.js';
import { howRun, tellFailure } from './telling.js';
import { drawList, drawTweet, leadNames, markChosen } from './view.js';
import { megabytes, word, wordAll } from './wording.js';

const STATES = ['fetching', 'unread', 'nothing', 'lines'];
let views = 0;

/**
 * @typedef {import('./mner.js').ImageReading} ImageReading
 * @typedef {{reading: ImageReading, model: import('./models.js').Model}} Read
 */
export class ImageTextView {
  /** The entry, to be put into a list. */
  root;

  #image;
  #suffix = `-image-${++views}`;
  /** @type {Read} what was shown last */
  #shown;

  /**
   * @param {HTMLTemplateElement} template
   * @param {import('./image.js').ShownImage} image
   * @param {{announce: (words: string) => void, onRetry: () => void}} options
   */
  constructor(template, image, { announce, onRetry }) {
    this.#image = image;
    this.root = copied(template, this.#suffix);
    wordAll(this.root);
    this.#$('read-again').onclick = onRetry;
    copyBy(/** @type {HTMLButtonElement} */ (this.#$('copy-lines')), () => this.#shown.reading.text, announce);
    leadNames({ marked: this.#$('lines-marked'), names: this.#$('line-names') }, (i) => this.#list(i), (i) => this.#choose(i));
    this.reword();
  }

  /** Shows that it is being read, and what of the reader is there. */
  busy({ loaded, total } = { loaded: 0, total: 0 }) {
    const bar = /** @type {HTMLProgressElement} */ (this.#$('text-progress'));
    const fetching = loaded < total;
    if (fetching) bar.value = loaded / total;
    else bar.removeAttribute('value');
    word(this.#$('text-stage'), fetching ? 'written.fetching' : 'written.reading');
    word(this.#$('text-bytes'), fetching ? 'loading.bytes' : undefined, { loaded: megabytes(loaded), total: megabytes(total) });
    this.#state('fetching');
  }

  /** Says why it could not be read. */
  fail(/** @type {import('./telling.js').Cause} */ cause) {
    tellFailure({ title: this.#$('unread-title'), advice: this.#$('unread-advice'), text: this.#$('unread-text') }, 'written.failed', cause);
    this.#state('unread');
  }

  /** Shows what was read. */
  show(/** @type {Read} */ read) {
    this.#shown = read;
    const { reading, model } = read;
    const { lines, text, entities, timings } = reading;
    if (!lines.length) {
      this.#state('nothing');
      return;
    }
    drawTweet(this.#$('lines-marked'), text, entities, this.#$('line-names'));
    this.#list(0);
    this.#$('lines-none').hidden = entities.length > 0;
    this.#$('line-names').hidden = !entities.length;
    this.#choose(undefined);
    const found = { ...reading, timings: { look: 0, recognize: timings.read + timings.recognize } };
    this.#$('lines-run').replaceChildren(...howRun({ found, looked: false, model }));
    this.#state('lines');
  }

  /** Says the image's name again, in the language in use. */
  reword() {
    const shown = /** @type {HTMLImageElement} */ (this.#$('lines-image'));
    this.#$('image-name').textContent = nameOf(this.#image);
    shown.src = this.#image.url;
    shown.alt = altOf(this.#image);
    this.#$('lines-frame').style.width = widthOf(this.#image);
  }

  /** Lists the names, name `i` among them. */
  #list(i) {
    const { text, entities } = this.#shown.reading;
    const [back, on] = /** @type {HTMLButtonElement[]} */ ([this.#$('lines-back'), this.#$('lines-on')]);
    const pager = { part: this.#$('lines-pager'), range: this.#$('lines-range'), back, on };
    drawList(/** @type {HTMLOListElement} */ (this.#$('line-names')), text, entities, pager, i);
  }

  /** Shows where name `i` stands; `undefined` shows the lines alone. */
  #choose(/** @type {number | undefined} */ i) {
    const { reading } = this.#shown;
    markChosen(this.#$('lines-marked'), i);
    drawLines(this.#$('line-boxes'), reading, reading.entities[i]);
  }

  #$(/** @type {string} */ id) {
    return /** @type {HTMLElement} */ (this.root.querySelector(`#${id}${this.#suffix}`));
  }

  /** Shows one of its states. */
  #state(name) {
    for (const id of STATES) this.#$(id).hidden = id !== name;
  }
}
