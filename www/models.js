/** The models that this site has. */

/** What a system is called, and what it does with a picture. An unknown one goes by the name in its manifest. */
const SYSTEMS = {
  text: ['Text alone', 'Reads the words and no picture.'],
  hamlearning: ['HamLearning', 'Weighs how relevant the picture is, then lets words and picture read each other.'],
  mgcmt: ['MGCMT', 'Lets words, picture and the objects in it pass through gates to each other.'],
  ita: ['ITA', 'Turns the picture into words and reads them after the tweet.'],
};

/**
 * @typedef {object} Model
 * @property {string} name its folder
 * @property {string} url
 * @property {string} label for a list to choose from
 * @property {string} title the system's name
 * @property {string} about the system in a sentence
 * @property {number} [bytes] what is downloaded, the engine aside
 */

/**
 * The models of `models/index.json`, the first being the one to open.
 * @returns {Promise<Model[]>}
 */
export async function installed() {
  const response = await fetch('models/index.json', { cache: 'no-cache' }).catch(() => undefined);
  if (!response?.ok) throw new Error('The list of models, models/index.json, cannot be reached. Check the connection and try again.');
  return Promise.all((await response.json()).map(describe));
}

/**
 * A model by its folder's name. One whose manifest cannot be read has a name only: opening it will tell what is wrong.
 * @returns {Promise<Model>}
 */
export async function describe(name) {
  const url = `models/${encodeURIComponent(name)}/`;
  /** @type {import('./mner.js').Manifest} */
  const manifest = await fetch(`${url}manifest.json`, { cache: 'no-cache' })
    .then((response) => (response.ok ? response.json() : {}))
    .catch(() => ({}));
  const system = manifest.config?.system;
  const [title, about] = SYSTEMS[system] ?? [system ?? name, ''];
  const sizes = Object.values(manifest.files ?? {}).map(({ bytes }) => bytes);
  const bytes = sizes.length ? sizes.reduce((sum, size) => sum + size, 0) : undefined;
  const label = [title, [title, system].includes(name) ? '' : name, bytes && `${megabytes(bytes)} MB`].filter(Boolean).join(' · ');
  return { name, url, label, title, about, bytes };
}

/** Whether a loaded model looks at pictures, going by its manifest. */
export function seesPictures(manifest) {
  return Boolean(manifest.eyes);
}

/** Whether a loaded model reads a caption, going by its manifest. */
export function readsCaptions(manifest) {
  return Boolean(manifest.config?.context);
}

/** Millions of bytes with one decimal. */
export function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}
