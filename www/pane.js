/** One model and its answer to what is in the composer. The page has one pane, or two to compare. */
import { drawContribution } from './contribution.js';
import { copied, element } from './dom.js';
import { relevanceOf, withoutUserNames } from './evidence.js';
import { copyBy, offerDownloads } from './export.js';
import { KindColumn, tellsKinds } from './kind-column.js';
import { aboutOf, labelOf, titleOf } from './models.js';
import { Recognizer } from './mner.js';
import { toConll, toJson } from './notation.js';
import { altOf, nameOf } from './image.js';
import { drawStrip } from './image-strip.js';
import { drawHeat, drawObjects, widthOf } from './image-view.js';
import { Reader, readingOf, saidOf } from './reader.js';
import { UNREACHED, howRun, tellFailure } from './telling.js';
import { drawList, drawTweet, leadNames, markChosen, sentence } from './view.js';
import { FOREIGN, megabytes, say, word, wordAll } from './wording.js';

const STATES = ['loading', 'no-model', 'failure', 'empty', 'answer'];
/** Milliseconds after which work that goes on is shown. */
const GLANCE = 400;
/**
 * @typedef {import('./composer.js').Input} Input
 * @typedef {import('./mner.js').Recognition} Recognition
 * @typedef {import('./models.js').Model} Model
 * @typedef {import('./image.js').ShownImage} ShownImage
 * @typedef {import('./reader.js').Answer} Answer
 * @typedef {import('./wording.js').Key} Key
 */
export class Pane {
  /** The pane's section, to be put into the page. */
  root;

  #options;
  #mner;
  #reader;
  /** @type {Model} */
  #model;
  /** @type {Model[]} */
  #models = [];
  #loading;
  #loaded = { loaded: 0, total: 0 };
  /** @type {Input} what is to be answered */
  #input = { text: '', images: [], tweet: 0 };
  /** @type {Answer} what is on screen */
  #shown;
  /** The parts of it that were drawn last. */
  #drawn = {};
  /** The recogniser that is at work, so that a new one need not wait for the old one's end. */
  #busy;
  /** Gives up a text that is so long that it is read in parts. @type {AbortController | undefined} */
  #long;
  /** @type {ShownImage} the one of several that was chosen */
  #picked;
  /** Whether names that are user names are shown. */
  #userNames = true;
  /** @type {KindColumn} */
  #kinds;
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
   * @param {(input: Input, recognition: Recognition, model: Model) => void} options.onAnswer all that is to be said is shown
   */
  constructor(template, options) {
    this.#options = options;
    this.root = copied(template, options.suffix);
    wordAll(this.root);
    this.#$('model-choice').onchange = ({ target }) => options.onChoose(target.value);
    this.#$('cancel').onclick = () => this.#loading.abort();
    this.#kinds = new KindColumn(this.#$('kind-column'));
    const conll = (text, recognition) => toConll(text, recognition, this.#kinds.wanted);
    for (const [id, notation] of /** @type {const} */ ([['copy-json', toJson], ['copy-conll', conll]])) {
      copyBy(this.#$(id), () => notation(this.#shown.input.text, this.#found()), options.announce);
    }
    const parts = { formats: this.#$('format'), button: this.#$('download'), problem: this.#$('download-problem') };
    offerDownloads(parts, () => ({ mner: this.#mner, name: 'tweet', kinds: this.#kinds.wanted, tweets: [this.#answered()] }));
    leadNames({ marked: this.#$('marked'), names: this.#$('names') }, (i) => this.#list(i), (i) => this.#choose(i));
  }

  /** What the model can do; nothing while there is none. */
  get abilities() {
    return this.#reader?.abilities ?? { images: false, captions: false };
  }

  /** The recogniser, once it is there. */
  get mner() {
    return this.#mner;
  }

  /** The model that it has, or is to have. */
  get model() {
    return this.#model;
  }

  /** Offers these models to choose from. */
  offer(models) {
    this.#models = models;
    const choice = this.#$('model-choice');
    // A link may name a model that is not listed.
    const all = this.#model && !models.some(({ name }) => name === this.#model.name) ? [...models, this.#model] : models;
    choice.replaceChildren(...all.map((model) => element('option', { value: model.name }, labelOf(model))));
    if (this.#model) choice.value = this.#model.name;
    this.#$('picker').hidden = models.length < 2;
  }

  /** Says that there is no model at all. */
  showNoModel() {
    this.#state('no-model');
    this.#options.announce(say('no-model'));
  }

  /**
   * Shows an error that ended what the pane was doing.
   * @param {Key} title
   * @param {import('./telling.js').Cause} cause
   * @param {() => void} retry
   */
  fail(title, cause, retry) {
    tellFailure({ title: this.#$('failure-title'), advice: this.#$('failure-advice'), text: this.#$('failure-text') }, title, cause);
    this.#$('retry').onclick = retry;
    this.#state('failure');
  }

  /** Loads a model in place of the one before, and answers what has been typed meanwhile. */
  async open(/** @type {Model} */ model) {
    this.close();
    const loading = (this.#loading = new AbortController());
    this.#model = model;
    this.#shown = undefined;
    this.#drawn = {};
    this.root.ariaBusy = 'false';
    this.#name();
    this.#$('run').replaceChildren();
    this.#$('reading').hidden = true;
    this.#kinds.offer(false);
    this.#state('loading');
    this.#progress({ loaded: 0, total: 0 });
    try {
      const mner = await Recognizer.load(model.url, {
        backend: this.#options.backend,
        onProgress: (progress) => this.#loading === loading && this.#progress(progress),
        signal: loading.signal,
      });
      if (this.#loading !== loading) return mner.close();
      this.#mner = mner;
      this.#reader = new Reader(mner);
      this.#options.announce(say('model.ready'));
      this.#options.onReady((this.#computing = mner.backend));
      await this.#answer();
    } catch (error) {
      if (this.#loading !== loading) return undefined;
      const retry = () => this.open(model);
      if (error.name === 'AbortError') this.fail('failure.stopped', { key: 'failure.stopped.text' }, retry);
      else if (!navigator.onLine && UNREACHED.includes(error.code)) {
        this.fail('failure.offline', { key: 'failure.offline.text' }, retry);
        addEventListener('online', () => this.#loading === loading && retry(), { once: true });
      } else this.fail('failure.model', error, retry);
    }
    return undefined;
  }

  /** Ends the model and whatever it is doing. */
  close() {
    this.#loading?.abort();
    this.#loading = undefined;
    this.#mner?.close();
    this.#mner = this.#reader = undefined;
    this.#options.onReady();
  }

  /** Takes what is in the composer; what changes while an answer is computed is answered next, and a long text is given up for it. */
  update(input) {
    this.#input = input;
    this.#long?.abort();
    this.#answer();
  }

  /** Shows names that are user names, or leaves them out of everything. */
  showUserNames(on) {
    this.#userNames = on;
    this.#redraw();
  }

  /** Says everything again, in the language in use. */
  reword() {
    this.offer(this.#models);
    if (this.#model) this.#name();
    this.#progress(this.#loaded);
    this.#redraw();
  }

  #redraw() {
    this.#drawn = {};
    // What failed stays, and what is being loaded.
    if (this.#shown) this.#draw(this.#shown);
  }

  /** An answer as it is to be shown, counted and copied. */
  #wanted(recognition) {
    return this.#userNames ? recognition : withoutUserNames(recognition);
  }

  /** The answer that is shown. */
  #found() {
    return this.#wanted(readingOf(this.#shown, this.#picked)?.full ?? this.#shown.base);
  }

  /** The same with what was read, for a file. */
  #answered() {
    const { text, images } = this.#shown.input;
    return { text, recognition: this.#found(), model: this.#model.name, images: images.map(nameOf) };
  }

  #$(id) {
    return this.root.querySelector(`#${id}${this.#options.suffix}`);
  }

  /** Shows one of the pane's states. */
  #state(name) {
    for (const id of STATES) this.#$(id).hidden = id !== name;
  }

  /** Says which model it is. */
  #name() {
    this.offer(this.#models);
    this.#$('system').textContent = aboutOf(this.#model);
    this.#$('which').textContent = say(this.#options.suffix ? 'pane.compared' : 'pane.by', { model: titleOf(this.#model) });
  }

  #progress({ loaded, total }) {
    this.#loaded = { loaded, total };
    const bar = this.#$('progress');
    // Without a total yet, or with all bytes here and the model starting, the bar shows that something goes on.
    if (total && loaded < total) bar.value = loaded / total;
    else bar.removeAttribute('value');
    word(this.#$('stage'), total && loaded === total ? 'loading.start' : 'loading.fetch');
    word(this.#$('bytes'), total ? 'loading.bytes' : undefined, { loaded: megabytes(loaded), total: megabytes(total) });
  }

  async #answer() {
    const mner = this.#mner;
    if (!mner || this.#busy === mner) return;
    this.#busy = mner;
    // False as soon as something newer is to be answered.
    const show = (/** @type {Answer} */ answer) => {
      if (this.#mner !== mner) throw new DOMException('another model was opened', 'AbortError');
      this.#draw(answer);
      return this.#input === answer.input;
    };
    try {
      while (this.#input !== this.#shown?.input) {
        const input = this.#input;
        this.root.ariaBusy = String(Boolean(input.text.trim()));
        await this.#read(input, mner, show);
      }
    } catch (error) {
      if (this.#mner !== mner) return;
      this.#shown = undefined;
      this.fail('failure.tweet', error, () => this.#answer());
    } finally {
      if (this.#mner === mner) {
        this.root.ariaBusy = 'false';
        this.#$('reading').hidden = true;
        this.#busy = undefined;
      }
    }
  }

  /** Reads an input, unless it is long and something newer comes. */
  async #read(input, mner, show) {
    const reading = new AbortController();
    const onProgress = this.#reads(() => this.#mner === mner);
    const how = {
      picked: this.#picked,
      show,
      signal: reading.signal,
      onProgress: (progress) => {
        this.#long = reading;
        onProgress(progress);
      },
    };
    try {
      await this.#reader.read(input, how);
    } catch (error) {
      if (!reading.signal.aborted || this.#input === input) throw error;
    } finally {
      this.#long = undefined;
    }
  }

  /** Shows how much of a text is read, or of what encodes images is there, from when that takes longer than a glance. */
  #reads(wanted) {
    const from = performance.now();
    return ({ part, loaded, total }) => {
      if (!wanted() || performance.now() - from < GLANCE) return;
      word(this.#$('read-part'), part === 'text' ? 'reading' : 'reading.fetch');
      this.#$('reading').hidden = loaded === total && part !== 'text';
      this.#$('read').value = loaded / total;
    };
  }

  /** Shows an answer as far as it is there; of what is shown already, nothing anew. */
  #draw(/** @type {Answer} */ answer) {
    this.#shown = answer;
    const { input, base } = answer;
    const { text, images } = input;
    if (!text.trim()) {
      word(this.#$('empty-text'), images.length ? 'empty.images' : 'empty', { count: images.length });
      this.#state('empty');
      return;
    }
    const { image, full, problem } = readingOf(answer, this.#picked) ?? {};
    const found = full ?? base;
    // Of an image that was chosen there may be nothing yet.
    if (!found) return;
    const strip = { picked: image, answer: { ...answer, base: this.#wanted(base) }, wanted: (recognition) => this.#wanted(recognition) };
    drawStrip(this.#$('strip'), strip, (one) => this.#pick(one));
    const drawn = this.#drawn;
    if (drawn.answer === answer && drawn.base === base && drawn.full === full && drawn.problem === problem) return;
    this.#drawn = { answer, base, full, problem };

    const recognition = this.#wanted(found);
    const { entities, backend } = recognition;
    if (backend && backend !== this.#computing) this.#options.onReady((this.#computing = backend));
    drawTweet(this.#$('marked'), text, entities, this.#$('names'));
    this.#list(0);
    this.#$('none').hidden = entities.length > 0;
    this.#$('names').hidden = !entities.length;
    // Once offered it stays, also while no name is there.
    if (tellsKinds(found)) this.#kinds.offer(true);
    const leftOut = found.entities.length - entities.length;
    this.#$('left-out').hidden = !leftOut;
    word(this.#$('left-out'), 'left-out', { count: leftOut });
    this.#drawImage(answer);
    this.#choose(undefined);
    const { fallback, loop } = this.#mner;
    this.#$('run').replaceChildren(...howRun({ found, looked: Boolean(full?.picture), fallback, loop, model: this.#model }));
    this.#state('answer');
    if (this.#waits(answer)) return;
    const relevance = relevanceOf(recognition.picture);
    const told = relevance ? ` ${say('relevance', { level: say(`relevance.${relevance.level}`) })}` : '';
    this.#options.announce(sentence(text, entities) + told);
    this.#options.onAnswer(input, found, this.#model);
  }

  /** Shows the answer with another of the tweet's images. */
  #pick(image) {
    this.#picked = image;
    this.#draw(this.#shown);
  }

  /** Lists the names of the answer that is shown, name `i` among them. */
  #list(i) {
    const pager = { part: this.#$('pager'), range: this.#$('range'), back: this.#$('back'), on: this.#$('on') };
    drawList(this.#$('names'), this.#shown.input.text, this.#found().entities, pager, i);
  }

  /** Whether the image that is shown is still being looked at. */
  #waits(answer) {
    const reading = readingOf(answer, this.#picked);
    return Boolean(reading?.image && !reading.full && !reading.problem);
  }

  #drawImage(/** @type {Answer} */ answer) {
    const { text, images } = answer.input;
    const { image, full, problem } = readingOf(answer, this.#picked) ?? {};
    const frame = this.#$('frame');
    this.#$('seen').hidden = !image || Boolean(problem);
    frame.classList.toggle('looking', this.#waits(answer));
    const shown = this.#$('shown-image');
    if (image) {
      if (shown.src !== image.url) shown.src = image.url;
      shown.alt = altOf(image);
      frame.style.width = widthOf(image);
    }
    const seen = this.#wanted(full);
    drawObjects({ boxes: this.#$('boxes'), objects: this.#$('objects') }, seen?.picture);
    const note = this.#$('image-note');
    note.classList.toggle('problem', Boolean(image && problem));
    const frameNote = full?.picture?.note;
    note.hidden = !images.length || (Boolean(image) && !this.#waits(answer) && !problem && !frameNote);
    if (image && problem) word(note, 'image.left-out', { message: element('bdi', FOREIGN, problem) });
    else if (frameNote) word(note, 'image.frame', { note: element('bdi', FOREIGN, frameNote) });
    else word(note, image ? 'image.looking' : 'image.unused', { count: images.length });
    this.#$('contribution').hidden = !full;
    if (full) {
      const parts = { relevance: this.#$('relevance'), tags: this.#$('tags'), difference: this.#$('difference') };
      const said = this.abilities.captions && saidOf(answer.input);
      const without = image && said ? 'both' : image ? 'image' : 'said';
      drawContribution(parts, { text, full: seen, base: this.#wanted(answer.base), without, asContext: this.abilities.captions });
    }
  }

  /** Lights up where entity `i` looked; `undefined` lights the whole image. */
  #choose(i) {
    const recognition = this.#wanted(readingOf(this.#shown, this.#picked)?.full);
    const entity = recognition?.entities[i];
    markChosen(this.#$('marked'), i);
    const parts = { heat: this.#$('heat'), boxes: this.#$('boxes'), looked: this.#$('looked') };
    drawHeat(parts, entity && { ...entity, name: entity.text }, recognition?.picture);
    if (!entity && recognition?.entities.some(({ evidence }) => evidence)) parts.looked.textContent = say('looked.choose');
  }
}
