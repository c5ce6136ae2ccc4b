/** One model and its answer to what is in the composer. The page has one pane, or two to compare. */
import { drawContribution } from './contribution.js';
import { element } from './dom.js';
import { relevanceOf, withoutUserNames } from './evidence.js';
import { megabytes, readsCaptions, seesPictures } from './models.js';
import { Recognizer } from './mner.js';
import { toConll, toJson } from './notation.js';
import { drawHeat, drawObjects } from './picture-view.js';
import { drawList, drawTweet, openEntry, sentence } from './view.js';

const STATES = ['loading', 'no-model', 'failure', 'empty', 'answer'];
/** Milliseconds after which work that goes on is shown. */
const GLANCE = 400;
/** How a file that cannot be fetched shows, be it the model's or the engine's. */
const UNREACHED = ['network', 'engine', 'crashed'];

/**
 * @typedef {import('./composer.js').Input} Input
 * @typedef {import('./mner.js').Recognition} Recognition
 * @typedef {{input: Input, full?: Recognition, base?: Recognition, problem?: string}} Answer
 *     `full` is the answer with picture and caption, `base` that to the text alone; `problem` says why `full` is missing
 */
export class Pane {
  /** The pane's section, to be put into the page. */
  root;

  #backend;
  #announce;
  #onReady;
  #suffix;
  #mner;
  #model;
  #loading;
  /** @type {Input} what is to be answered */
  #input = { text: '' };
  /** @type {Answer} what is on screen */
  #shown;
  /** The recogniser that is at work, so that a new one need not wait for the old one's end. */
  #busy;
  /** The picture that this model has looked at last, and why it could not, if so. */
  #looked = {};
  #chosen;
  /** Whether names that are user names are shown. */
  #userNames = true;
  /** What computed the last answer; it changes when a GPU fails. */
  #computing;

  /**
   * @param {HTMLTemplateElement} template
   * @param {object} options
   * @param {string} options.suffix goes to the end of every id in the template
   * @param {import('./mner.js').Backend | 'auto'} options.backend
   * @param {(words: string) => void} options.announce tells those who cannot see
   * @param {(name: string) => void} options.onChoose another model was picked
   * @param {(backend?: import('./mner.js').Backend) => void} options.onReady the model is there, on this backend, or is gone
   */
  constructor(template, { suffix, backend, announce, onChoose, onReady }) {
    this.#suffix = suffix;
    this.#backend = backend;
    this.#announce = announce;
    this.#onReady = onReady;
    const copy = document.importNode(template.content, true);
    for (const attribute of ['id', 'for', 'aria-labelledby', 'aria-describedby']) {
      for (const node of copy.querySelectorAll(`[${attribute}]`)) node.setAttribute(attribute, node.getAttribute(attribute) + suffix);
    }
    this.root = copy.firstElementChild;
    this.#$('model-choice').onchange = ({ target }) => onChoose(target.value);
    this.#$('cancel').onclick = () => this.#loading.abort();
    this.#$('copy-json').onclick = ({ target }) => this.#copy(target, toJson);
    this.#$('copy-conll').onclick = ({ target }) => this.#copy(target, toConll);
    this.#$('marked').onclick = (event) => {
      const link = event.target.closest('a');
      if (!link) return;
      event.preventDefault();
      const i = Number(link.dataset.entity);
      if (!this.#$('names').querySelector(`[data-entity="${i}"]`)) this.#list(i);
      openEntry(this.#$('names'), i);
    };
    // Opening an entry of the list chooses it, closing it leaves none; the event does not bubble.
    this.#$('names').addEventListener(
      'toggle',
      ({ target }) => {
        const i = Number(target.dataset.entity);
        if (target.open) this.#choose(i);
        else if (this.#chosen === i) this.#choose(undefined);
      },
      true,
    );
  }

  /** What the model can do; nothing while there is none. */
  get abilities() {
    const manifest = this.#mner?.manifest;
    return { pictures: Boolean(manifest && seesPictures(manifest)), captions: Boolean(manifest && readsCaptions(manifest)) };
  }

  /** Offers these models to choose from. */
  offer(models) {
    const options = models.map(({ name, label }) => element('option', { value: name }, label));
    this.#$('model-choice').replaceChildren(...options);
    this.#$('picker').hidden = models.length < 2;
  }

  /** Says that there is no model at all. */
  showNoModel() {
    this.#state('no-model');
    this.#announce('No model is installed here yet.');
  }

  /** Shows an error that ended what the pane was doing. */
  fail(title, message, retry) {
    this.#$('failure-title').textContent = title;
    this.#$('failure-text').textContent = message;
    this.#$('retry').onclick = retry;
    this.#state('failure');
  }

  /** Loads a model in place of the one before, and answers what has been typed meanwhile. */
  async open(model) {
    this.close();
    const loading = (this.#loading = new AbortController());
    this.#model = model;
    this.#shown = undefined;
    this.#looked = {};
    this.root.ariaBusy = 'false';
    const choice = this.#$('model-choice');
    // A link may name a model that is not listed.
    if (![...choice.options].some(({ value }) => value === model.name)) choice.append(element('option', { value: model.name }, model.label));
    choice.value = model.name;
    this.#$('system').textContent = model.about;
    this.#$('which').textContent = `, by ${model.title}${this.#suffix && ', for comparison'}`;
    this.#$('run').textContent = '';
    this.#$('reading').hidden = true;
    this.#state('loading');
    this.#progress({ loaded: 0, total: 0 });
    try {
      const mner = await Recognizer.load(model.url, {
        backend: this.#backend,
        onProgress: (progress) => this.#loading === loading && this.#progress(progress),
        signal: loading.signal,
      });
      if (this.#loading !== loading) return mner.close();
      this.#mner = mner;
      this.#announce('The model is ready.');
      this.#onReady((this.#computing = mner.backend));
      await this.#answer();
    } catch (error) {
      if (this.#loading !== loading) return undefined;
      const retry = () => this.open(model);
      if (error.name === 'AbortError') this.fail('Stopped.', 'The model was not fetched.', retry);
      else if (!navigator.onLine && UNREACHED.includes(error.code)) {
        this.fail('You are offline.', 'This model is not on your device yet. It is fetched as soon as the connection is back.', retry);
        addEventListener('online', () => this.#loading === loading && retry(), { once: true });
      } else this.fail('The model could not be loaded.', error.message, retry);
    }
    return undefined;
  }

  /** Ends the model and whatever it is doing. */
  close() {
    this.#loading?.abort();
    this.#loading = undefined;
    this.#mner?.close();
    this.#mner = undefined;
    this.#onReady();
  }

  /** Takes what is in the composer; what changes while an answer is computed is answered next. */
  update(input) {
    this.#input = input;
    this.#answer();
  }

  /** Shows names that are user names, or leaves them out of everything. */
  showUserNames(on) {
    this.#userNames = on;
    if (this.#shown) this.#draw(this.#shown);
  }

  /** An answer as it is to be shown, counted and copied. */
  #wanted(recognition) {
    return this.#userNames ? recognition : withoutUserNames(recognition);
  }

  #$(id) {
    return this.root.querySelector(`#${id}${this.#suffix}`);
  }

  /** Shows one of the pane's states. */
  #state(name) {
    for (const id of STATES) this.#$(id).hidden = id !== name;
  }

  #progress({ loaded, total }) {
    const bar = this.#$('progress');
    // Without a total yet, or with all bytes here and the model starting, the bar shows that something goes on.
    if (total && loaded < total) bar.value = loaded / total;
    else bar.removeAttribute('value');
    this.#$('stage').textContent = total && loaded === total ? 'Starting the model' : 'Fetching the model';
    this.#$('bytes').textContent = total ? `${megabytes(loaded)} of ${megabytes(total)} MB` : '';
  }

  async #answer() {
    const mner = this.#mner;
    if (!mner || this.#busy === mner) return;
    this.#busy = mner;
    try {
      while (this.#input !== this.#shown?.input) await this.#read(mner, this.#input);
    } catch (error) {
      if (this.#mner !== mner) return;
      this.#shown = undefined;
      this.fail('This tweet could not be read.', error.message, () => this.#answer());
    } finally {
      if (this.#mner === mner) {
        this.root.ariaBusy = 'false';
        this.#$('reading').hidden = true;
        this.#busy = undefined;
      }
    }
  }

  /** Answers one input: at once what is quick, and what needs the picture when it is there. */
  async #read(mner, input) {
    const { text, picture, caption } = input;
    const answer = { input };
    // False as soon as something newer is to be answered.
    const show = () => {
      if (this.#mner !== mner) throw new DOMException('another model was opened', 'AbortError');
      this.#draw(answer);
      return this.#input === input;
    };
    if (!text.trim()) {
      show();
      return;
    }
    this.root.ariaBusy = 'true';
    const sees = picture && this.abilities.pictures;
    const given = { text, ...(sees && { image: picture.blob }), ...(this.abilities.captions && caption && { caption }) };
    const alone = Object.keys(given).length === 1;
    const options = { onProgress: this.#reads(() => this.#mner === mner) };
    if (sees && this.#looked.picture === picture) answer.problem = this.#looked.problem;
    if (alone || answer.problem || (sees && this.#looked.picture !== picture)) {
      answer.base = await mner.recognize({ text }, options);
      if (!show() || alone || answer.problem) return;
    }
    try {
      answer.full = await mner.recognize(given, options);
    } catch (error) {
      if (error.code === 'closed') throw error;
      answer.problem = error.message;
    }
    if (sees) this.#looked = { picture, problem: answer.problem };
    if (answer.full && !show()) return;
    answer.base ??= await mner.recognize({ text }, options);
    show();
  }

  /** Shows how much of a text is read, from when that takes longer than a glance. */
  #reads(wanted) {
    const from = performance.now();
    return ({ loaded, total }) => {
      if (!wanted() || performance.now() - from < GLANCE) return;
      this.#$('reading').hidden = false;
      this.#$('read').value = loaded / total;
    };
  }

  #draw(answer) {
    this.#shown = answer;
    const { text, picture } = answer.input;
    if (!text.trim()) {
      this.#$('empty-text').textContent = picture ? 'Now type the tweet that goes with the picture.' : 'The names will be marked here as you type.';
      this.#state('empty');
      return;
    }
    const found = answer.full ?? answer.base;
    const recognition = this.#wanted(found);
    const { entities, backend } = recognition;
    if (backend && backend !== this.#computing) this.#onReady((this.#computing = backend));
    drawTweet(this.#$('marked'), text, entities, this.#$('names'));
    this.#list(0);
    this.#$('none').hidden = entities.length > 0;
    this.#$('names').hidden = !entities.length;
    const leftOut = found.entities.length - entities.length;
    this.#$('left-out').hidden = !leftOut;
    this.#$('left-out').textContent = `${leftOut} ${leftOut === 1 ? 'name' : 'names'} in @mentions left out.`;
    this.#drawPicture(answer);
    this.#choose(undefined);
    this.#$('run').textContent = this.#howRun(answer);
    this.#state('answer');
    if (this.#waits(answer)) return;
    const relevance = relevanceOf(recognition.picture);
    this.#announce(sentence(text, entities) + (relevance ? ` The model takes the picture as ${relevance.words}.` : ''));
  }

  /** Lists the names of the answer that is shown, name `i` among them. */
  #list(i) {
    const { input, full, base } = this.#shown;
    const pager = { part: this.#$('pager'), range: this.#$('range'), back: this.#$('back'), on: this.#$('on') };
    drawList(this.#$('names'), input.text, this.#wanted(full ?? base).entities, pager, i);
  }

  /** Whether the picture is still being looked at. */
  #waits({ input, full, problem }) {
    return Boolean(input.picture && this.abilities.pictures && !full && !problem);
  }

  #drawPicture(answer) {
    const { input, problem } = answer;
    const [full, base] = [this.#wanted(answer.full), this.#wanted(answer.base)];
    const { picture } = input;
    const frame = this.#$('frame');
    this.#$('seen').hidden = !picture || !this.abilities.pictures || Boolean(problem);
    frame.classList.toggle('looking', this.#waits(answer));
    const image = this.#$('shown-picture');
    if (picture && image.src !== picture.url) {
      image.src = picture.url;
      image.alt = picture.alt;
      frame.style.width = widthOf(picture);
    }
    drawObjects({ boxes: this.#$('boxes'), objects: this.#$('objects') }, full?.picture);
    const note = this.#$('picture-note');
    const frameNote = full?.picture?.note;
    note.hidden = !picture || (this.abilities.pictures && !this.#waits(answer) && !problem && !frameNote);
    note.classList.toggle('problem', Boolean(problem));
    if (problem) note.textContent = `The picture was left out: ${problem}`;
    else if (!this.abilities.pictures) note.textContent = 'This model reads text alone: the picture is left out.';
    else if (frameNote) note.textContent = `Of the animation, ${frameNote}, was looked at.`;
    else note.textContent = 'Looking at the picture. Until then, this is what the text alone says.';
    this.#$('contribution').hidden = !full;
    if (full) {
      const parts = { relevance: this.#$('relevance'), tags: this.#$('tags'), difference: this.#$('difference') };
      const without = [picture && 'the picture', input.caption && 'the caption'].filter(Boolean).join(' and ');
      drawContribution(parts, { text: input.text, full, base, without, asContext: this.abilities.captions });
    }
  }

  /** Lights up where entity `i` looked; `undefined` lights the whole picture. */
  #choose(i) {
    this.#chosen = i;
    const recognition = this.#wanted(this.#shown?.full);
    const entity = recognition?.entities[i];
    for (const link of this.#$('marked').querySelectorAll('a')) link.classList.toggle('chosen', Number(link.dataset.entity) === i);
    const parts = { heat: this.#$('heat'), boxes: this.#$('boxes'), looked: this.#$('looked') };
    drawHeat(parts, entity && { ...entity, name: entity.text }, recognition?.picture);
    if (!entity && recognition?.entities.some(({ evidence }) => evidence)) {
      parts.looked.textContent = 'Choose a name to see where its words looked.';
    }
  }

  #howRun({ full, base }) {
    const { look, recognize } = (full ?? base).timings ?? {};
    const milliseconds = (value) => `${Math.max(1, Math.round(value))}\u00a0ms`;
    const backend = (full ?? base).backend ?? this.#mner.backend;
    const parts = [
      recognize !== undefined && `Read in ${milliseconds(recognize)}`,
      full?.picture && (look ? `picture looked at in ${milliseconds(look)}` : 'picture already looked at'),
      `${recognize === undefined ? 'Computed' : 'computed'} on the ${backend === 'webgpu' ? 'GPU' : 'CPU'}`,
    ];
    const sentences = [`${parts.filter(Boolean).join(', ')}.`, this.#mner.fallback, `Model: ${this.#model.label}.`];
    return sentences.filter(Boolean).join(' ');
  }

  /** Copies, and says so on the button; where the clipboard is closed to pages, says that instead. */
  async #copy(button, notation) {
    const { input, full, base } = this.#shown;
    const label = button.textContent;
    const note = await written(notation(input.text, this.#wanted(full ?? base))).then(
      () => 'Copied',
      () => 'Not allowed',
    );
    button.textContent = note;
    button.disabled = true;
    this.#announce(note);
    setTimeout(() => {
      button.textContent = label;
      button.disabled = false;
    }, 1200);
  }
}

/** Puts words on the clipboard. Pages that do not come over https have none. */
async function written(words) {
  await navigator.clipboard.writeText(words);
}

/** How wide to show a picture: all there is, but not taller than a screen nor enlarged beyond recognition. */
function widthOf({ width, height }) {
  return `min(100%, ${(30 * width) / height}rem, ${3 * width}px)`;
}
