/** Answers as files and on the clipboard. */
import { element } from './dom.js';
import { toConll, toJson } from './notation.js';
import { FOREIGN, say, word } from './wording.js';
import { zipped } from './zip.js';

/** What answers can be saved as: two notations of the page's own, and the engine's formats of annotation tools. */
const FORMATS = /** @type {const} */ (['json', 'conll', 'doccano', 'label-studio', 'prodigy', 'brat', 'datasets', 'conllu', 'spacy']);
const OWN = { json: ['.json', manyJson], conll: ['.conll', manyConll] };
/** Milliseconds for which a button says what it did. */
const SAID = 1200;
/** Things a format could not say that are told one by one. */
const LOSSES = 5;

/**
 * @typedef {import('./mner.js').Recognition} Recognition
 * @typedef {{text: string, recognition: Recognition, model: string, images: string[]}} Answered a tweet and the answer to it
 * @typedef {{mner?: import('./mner.js').Recognizer, name: string, list?: boolean, kinds: boolean, tweets: Answered[]}} Wanted
 *     `name` begins the file's name; `list` where JSON shall be a list, however many there are; `kinds` where CoNLL shall have a
 *     column of fine types
 */

/**
 * Lets a list of formats and a button save answers.
 * @param {{formats: HTMLSelectElement, button: HTMLButtonElement, problem: HTMLElement}} parts `problem` says what was lost
 * @param {() => Wanted} wanted
 */
export function offerDownloads({ formats, button, problem }, wanted) {
  for (const format of FORMATS) {
    const option = element('option', { value: format });
    word(option, `format.${format}`);
    formats.append(option);
  }
  button.onclick = async () => {
    button.disabled = true;
    try {
      const { name, files, losses } = await written(/** @type {typeof FORMATS[number]} */ (formats.value), wanted());
      const [file] = files;
      if (files.length > 1) save(zipped(files), `${name}.zip`);
      else save(new Blob([file.text], { type: 'text/plain' }), name + file.name.slice(file.name.lastIndexOf('.')));
      const told = losses.slice(0, LOSSES).join('; ');
      word(problem, losses.length ? 'download.losses' : undefined, { count: losses.length, message: element('bdi', FOREIGN, told) });
      problem.hidden = !losses.length;
    } catch (error) {
      word(problem, 'download.failed', { message: element('bdi', FOREIGN, error.message) });
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  };
}

/** @returns {Promise<{name: string, files: {name: string, text: string}[], losses: string[]}>} */
async function written(format, /** @type {Wanted} */ { mner, name, list, kinds, tweets }) {
  const begin = `${name}-${format}`;
  if (Object.hasOwn(OWN, format)) {
    const [ending, write] = OWN[format];
    return { name: begin, files: [{ name: begin + ending, text: write(tweets, { list, kinds }) }], losses: [] };
  }
  const documents = tweets.map(({ text, recognition, model, images }) => ({ text, entities: recognition.entities, model, images }));
  return { name: begin, ...(await mner.annotations(format, documents)) };
}

/** A tweet as it is copied, or a list of them. */
function manyJson(/** @type {Answered[]} */ tweets, { list }) {
  const all = tweets.map(({ text, recognition, model, images }) => ({ text, model, images, ...recognition }));
  return list ? `${JSON.stringify(all, null, 2)}\n` : `${toJson(tweets[0].text, tweets[0].recognition)}\n`;
}

function manyConll(/** @type {Answered[]} */ tweets, { kinds }) {
  return tweets.map(({ text, recognition }) => toConll(text, recognition, kinds)).join('\n');
}

/** Has the browser save a file. */
function save(blob, name) {
  const url = URL.createObjectURL(blob);
  element('a', { href: url, download: name }).click();
  // By then the browser has begun to read it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * Lets a button copy a text, and say so; where the clipboard is closed to pages, it says that instead.
 * @param {HTMLButtonElement} button
 * @param {() => string} text may throw what `fails` takes
 * @param {(words: string) => void} announce
 * @param {(error: Error) => void} [fails]
 */
export function copyBy(button, text, announce, fails) {
  button.onclick = async () => {
    let words;
    try {
      words = text();
    } catch (error) {
      if (!fails) throw error;
      fails(error);
      return;
    }
    const label = /** @type {import('./wording.js').Key} */ (button.dataset.say);
    // Pages that do not come over https have no clipboard.
    const note = await Promise.resolve()
      .then(() => navigator.clipboard.writeText(words))
      .then(() => /** @type {const} */ ('copy.done'), () => /** @type {const} */ ('copy.refused'));
    word(button, note);
    button.disabled = true;
    announce(say(note));
    setTimeout(() => {
      word(button, label);
      button.disabled = false;
    }, SAID);
  };
}
