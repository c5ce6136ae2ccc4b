/**
 * What the page says, in the language that is chosen. The words are in wording/, a file a language, and nowhere else; numbers
 * and plural forms are Intl's.
 *
 * In HTML, `data-say="KEY"` gives an element its words, and `data-say-ATTRIBUTE="KEY"` an attribute. A child with
 * `data-place="NAME"` stands where the words have `{NAME}`.
 */
import { remember, remembered } from './settings.js';

/** Each in its own language. */
export const LANGUAGES = { en: 'English', de: 'Deutsch', es: 'Español' };
const ATTRIBUTES = ['aria-label', 'placeholder', 'alt'];

/**
 * @typedef {keyof typeof LANGUAGES} Language
 * @typedef {keyof typeof import('./wording/en.js').default} Key
 * @typedef {Record<string, string | number | Node>} Values what stands in place of `{NAME}`; `count` chooses the plural form
 */

/** @type {Record<string, string | Record<string, string>>} */
let words;
/** @type {Language} */
let language;
/** @type {Intl.PluralRules} */
let plurals;
/** Makers of numbers and whole percentages: a long text has tens of thousands of names. @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();
/** @type {Map<number, string>} */
const percentages = new Map();
/** What the words of a node were made with. @type {WeakMap<Node, Values>} */
const given = new WeakMap();
let changes = 0;

/** What cannot be done, as a key and its values: so it can be said in another language, too. */
export class Refusal extends Error {
  /**
   * @param {Key} key
   * @param {Values} [values]
   */
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

/**
 * The language that was chosen here, or else the first of the browser's that the page has, or English.
 * @returns {Language}
 */
export function preferred() {
  const wanted = [remembered('language'), ...(navigator.languages ?? [])].map((tag) => tag?.split('-')[0].toLowerCase());
  return /** @type {Language} */ (wanted.find((tag) => tag && Object.hasOwn(LANGUAGES, tag)) ?? 'en');
}

/** Chooses a language for this visit and the next ones. */
export function prefer(/** @type {Language} */ chosen) {
  remember('language', chosen);
  return speak(chosen);
}

/**
 * Says everything in a language from now on, and again what is said already by `word` and by the attributes of the HTML.
 * @param {Language} chosen
 * @returns {Promise<boolean>} false where another language was chosen meanwhile
 */
export async function speak(chosen) {
  const turn = ++changes;
  const { default: loaded } = await import(`./wording/${chosen}.js`);
  if (turn !== changes) return false;
  [words, language, plurals] = [loaded, chosen, new Intl.PluralRules(chosen)];
  formats.clear();
  percentages.clear();
  document.documentElement.lang = chosen;
  document.title = say('title');
  wordAll(document);
  return true;
}

/** The language in use. */
export function spoken() {
  return language;
}

/**
 * Whether there are words of this key: for keys that are made of what a model says.
 * @param {string} key
 * @returns {key is Key}
 */
export function hasWords(key) {
  return Object.hasOwn(words, key);
}

/**
 * The words of a key.
 * @param {Key} key
 * @param {Values} [values]
 */
export function say(key, values) {
  return sayWith(key, values)
    .map((part) => (typeof part === 'string' ? part : part.textContent))
    .join('');
}

/**
 * The words of a key as what can be appended to an element: values that are nodes stay nodes.
 * @param {Key} key
 * @param {Values} [values]
 * @returns {(string | Node)[]}
 */
export function sayWith(key, values = {}) {
  const entry = words[key];
  const pattern = typeof entry === 'string' ? entry : entry[plurals.select(Number(values.count))];
  return pattern.split(/\{(\w+)\}/).map((part, i) => {
    if (i % 2 === 0) return part;
    const value = values[part];
    if (value === undefined) throw new TypeError(`${key}: {${part}} has no value`);
    return typeof value === 'number' ? number(value) : value;
  });
}

/**
 * Gives an element the words of a key, also after the language changes; without a key, none.
 * @param {HTMLElement} node
 * @param {Key} [key]
 * @param {Values} [values]
 */
export function word(node, key, values = {}) {
  if (key === undefined) {
    delete node.dataset.say;
    node.replaceChildren();
    return;
  }
  node.dataset.say = key;
  given.set(node, values);
  fill(node);
}

/** Gives everything in a part of the page that names a key its words. */
export function wordAll(/** @type {ParentNode} */ root) {
  for (const node of root.querySelectorAll('[data-say]')) fill(/** @type {HTMLElement} */ (node));
  for (const attribute of ATTRIBUTES) {
    for (const node of root.querySelectorAll(`[data-say-${attribute}]`)) {
      const key = /** @type {Key} */ (node.getAttribute(`data-say-${attribute}`));
      node.setAttribute(attribute, say(key, given.get(node)));
    }
  }
}

function fill(/** @type {HTMLElement} */ node) {
  const children = /** @type {HTMLElement[]} */ ([...node.children]).filter(({ dataset }) => dataset.place);
  const places = Object.fromEntries(children.map((child) => [child.dataset.place, child]));
  node.replaceChildren(...sayWith(/** @type {Key} */ (node.dataset.say), { ...places, ...given.get(node) }));
}

/**
 * A number as it is written in the language.
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 */
export function number(value, options) {
  const key = JSON.stringify(options) ?? '';
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(language, options));
  return formats.get(key).format(value);
}

/** A number with this many decimals. */
export function decimal(value, digits) {
  return number(value, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A probability as a whole percentage; neither 0 nor 100 unless it is exactly that. */
export function percent(p) {
  if (p > 0.99 && p < 1) return say('percent.over', { value: 99 });
  if (p > 0 && p < 0.01) return say('percent.under', { value: 1 });
  const value = Math.round(p * 100);
  if (!percentages.has(value)) percentages.set(value, say('percent', { value }));
  return percentages.get(value);
}

/** Millions of bytes with one decimal. */
export function megabytes(bytes) {
  return decimal(bytes / 1e6, 1);
}

/** What is in the model's language: the tweet, and the names of what it sees. */
export const FOREIGN = { lang: 'en' };
