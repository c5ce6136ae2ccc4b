/** What the tests of the compiled engines share: tweets with images, and the command line that answers them too. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { ENGINES } from './harness.mjs';

const IMAGES = new URL('../reference/images/', import.meta.url).pathname;
const MODELS = new URL('../../www/models/', import.meta.url).pathname;

/** Why tests of the compiled engine of a device cannot run, or false. Of a run that has built it, it must be there. */
export function missing(device) {
  if (!existsSync(join(ENGINES, device, 'mner_web.js'))) {
    if (env.TEST_PKG) throw new Error(`the engine (${device}) is not in ${env.TEST_PKG}`);
    return `the engine (${device}) is not built`;
  }
  return env.MNER && env.MNER_TEST_BUNDLE ? false : 'MNER and MNER_TEST_BUNDLE name no program and no model';
}

/** The folders of the models that ship with the page, by their names. */
export function shipped() {
  const names = readdirSync(MODELS).filter((name) => existsSync(join(MODELS, name, 'weights.bpk')));
  return Object.fromEntries(names.map((name) => [name, join(MODELS, name)]));
}

/** Tweets and the images with them. */
export const TWEETS = [
  { text: 'RT @nasa: 👩🏽‍🚀 Sunita Williams is back in Houston 🇺🇸 with #Boeing', image: 'progressive.jpg' },
  { text: 'Oslo', image: 'alpha.webp' },
  { text: 'Salah twice in Madrid, and Liverpool go home with nothing but the cup', image: 'palette.png' },
  { text: 'Salah twice in Madrid, and Liverpool go home with nothing but the cup' },
  { text: 'Just heard Björk play the Royal Albert Hall… '.repeat(8), image: 'orientation6.jpg' },
];

/** `tweets` as the model in a folder takes them: one that reads text alone gets no images. */
export function fitting(folder, tweets) {
  const { eyes } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  return eyes ? tweets : tweets.map(({ text }) => ({ text }));
}

/** A reference image's bytes. */
export function imageBytes(name) {
  return readFileSync(join(IMAGES, name));
}

/**
 * @typedef {import('../../www/engine.d.ts').Recognition} Recognition
 * @typedef {Partial<import('../../www/mner.js').Recognition> & {code?: string, message?: string}} Answer or an error
 */

/**
 * The command line's answer.
 * @param {string} bundle
 * @param {{text: string, image?: string}} tweet
 * @returns {Recognition & {text: string}}
 */
export function native(bundle, { text, image }) {
  const flags = image ? ['--image', join(IMAGES, image)] : [];
  return JSON.parse(execFileSync(env.MNER, ['predict', '--bundle', bundle, '--text', text, ...flags, '--json'], { encoding: 'utf8' }));
}

/** Hands `use` the folder of a model of random weights, for as long as it runs. */
export async function withRandomModel(system, use) {
  const folder = mkdtempSync(join(tmpdir(), 'mner-model-'));
  try {
    execFileSync(env.MNER, ['init', '--system', system, '--out', folder], { stdio: 'pipe' });
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Loads the site's model `test` in a page and answers tweets one after the other. With `keep`, the page's recogniser is that
 * of the last call, if that kept it too.
 *
 * @returns {Promise<{error?: {code: string, message: string}, backend?: string, fallback?: string, loop?: import('../../www/answers.d.ts').Loop,
 *                    answers?: Answer[]}>} answers may be errors
 */
export function answer(page, tweets, { backend = 'cpu', timeout = 300_000, keep = false } = {}) {
  const inputs = tweets.map(({ image: name, bytes = name && imageBytes(name), ...input }) => ({
    ...input,
    image: bytes?.toString('base64'),
  }));
  return page.evaluate(
    async ([inputs, backend, timeout, keep]) => {
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(`${root}mner.js`);
      const coded = ({ code, message }) => ({ code, message });
      let mner = globalThis.kept;
      try {
        mner ??= await Recognizer.load(`${root}models/test/`, { backend, timeout });
      } catch (error) {
        return { error: coded(error) };
      }
      const answers = [];
      for (const { image, ...input } of inputs) {
        const bytes = image === undefined ? [] : [Uint8Array.from(atob(image), (character) => character.charCodeAt(0))];
        answers.push(await mner.recognize({ ...input, image: bytes.length ? new Blob(bytes) : undefined }).catch(coded));
      }
      if (keep) globalThis.kept = mner;
      else mner.close();
      return { backend: mner.backend, fallback: mner.fallback, loop: mner.loop, answers };
    },
    [inputs, backend, timeout, keep],
  );
}

/**
 * The largest difference of any two numbers at the same place of two answers; infinite if they differ otherwise. Of numbers
 * that are no counts and beyond 1, like the corners of boxes, it is relative.
 */
export function apart(a, b) {
  if (typeof a === 'number' && typeof b === 'number') {
    const counts = Number.isInteger(a) && Number.isInteger(b);
    return Math.abs(a - b) / (counts ? 1 : Math.max(1, Math.abs(a), Math.abs(b)));
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b ? 0 : Infinity;
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.reduce((most, key) => Math.max(most, apart(a[key], b[key])), 0);
}

/** A manifest whose known answer is off by `error`. */
export function misled(bundle, error, which = ['emissions', 'without_picture']) {
  const manifest = JSON.parse(bundle['manifest.json']);
  for (const scores of which) if (manifest.known_answer[scores]) manifest.known_answer[scores][0][0] += error;
  // A change that is meant.
  delete manifest.files.manifest;
  return { ...bundle, 'manifest.json': Buffer.from(JSON.stringify(manifest)) };
}
