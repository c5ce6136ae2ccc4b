/** The models that this site has. */
import { Refusal, megabytes, say } from './wording.js';

/** Systems that the page has words for. An unknown one goes by the name in its manifest. */
const KNOWN = /** @type {const} */ (['text', 'hamlearning', 'mgcmt', 'ita']);

/**
 * @typedef {object} Model
 * @property {string} name its folder
 * @property {string} url
 * @property {string} [system]
 * @property {number} [bytes] what is downloaded, the engine aside
 */

/**
 * The models of `models/index.json`, the first being the one to open.
 * @returns {Promise<Model[]>}
 */
export async function installed() {
  const response = await fetch('models/index.json', { cache: 'no-cache' }).catch(() => undefined);
  const names = response?.ok ? await response.json().catch(() => undefined) : undefined;
  // A network that wants a password first answers with a page of its own.
  if (!Array.isArray(names)) throw new Refusal('models.unreached', { file: 'models/index.json' });
  return Promise.all(names.map(describe));
}

/**
 * A model by its folder's name. One whose manifest cannot be read has a name only: opening it will tell what is wrong.
 * @returns {Promise<Model>}
 */
export async function describe(name) {
  const url = `models/${encodeURIComponent(name)}/`;
  /** @type {import('./mner.js').Manifest} */
  const manifest = await manifestIn(url);
  const sizes = Object.values(manifest?.files ?? {}).map((file) => file?.bytes);
  const bytes = sizes.length ? sizes.reduce((sum, size) => sum + size, 0) : undefined;
  return { name, url, system: manifest?.config?.system, bytes };
}

/** The folder of what reads text in images. */
export const OCR = 'models/ocr/';

/**
 * Bytes of what reads text in images; `undefined` where this site has none, or cannot be asked.
 * @returns {Promise<number | undefined>}
 */
export async function ocrBytes() {
  return (await manifestIn(OCR))?.weights?.bytes;
}

/** The folder of what describes images. */
export const CAPTIONER = 'models/caption/';

/**
 * Bytes of what describes images; `undefined` where this site has none, or cannot be asked.
 * @returns {Promise<number | undefined>}
 */
export async function captionerBytes() {
  return (await manifestIn(CAPTIONER))?.weights?.bytes;
}

/** What the manifest in a folder says; nothing where it cannot be read. */
function manifestIn(url) {
  return fetch(`${url}manifest.json`, { cache: 'no-cache' })
    .then((response) => (response.ok ? response.json() : undefined))
    .catch(() => undefined);
}

/** What a model's system is called. */
export function titleOf(/** @type {Model} */ { name, system }) {
  const known = KNOWN.find((one) => one === system);
  return known ? say(`system.${known}`) : (system ?? name);
}

/** A model's system in a sentence, or nothing. */
export function aboutOf(/** @type {Model} */ { system }) {
  const known = KNOWN.find((one) => one === system);
  return known ? say(`system.${known}.about`) : '';
}

/** A model in a list to choose from. */
export function labelOf(/** @type {Model} */ model) {
  const { name, system, bytes } = model;
  const title = titleOf(model);
  return [title, [title, system].includes(name) ? '' : name, bytes && say('megabytes', { value: megabytes(bytes) })].filter(Boolean).join(' · ');
}

/** Whether a loaded model reads images, going by its manifest. */
export function readsImages(manifest) {
  return Boolean(manifest.eyes);
}

/** Whether a loaded model reads a caption, going by its manifest. */
export function readsCaptions(manifest) {
  return Boolean(manifest.config?.context);
}
