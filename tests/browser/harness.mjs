/** What every browser test needs: a browser, the page served below some path, and models that are made up on the spot. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { env } from 'node:process';
import { chromium } from 'playwright-core';
import { filesIn, precache } from '../../web/precache.mjs';
import { serve } from './serve.mjs';

const WWW = new URL('../../www/', import.meta.url).pathname;
/** The folder of the engines that are tested: those of `./build.sh test`, or else those that ship. */
export const ENGINES = env.TEST_PKG ?? join(WWW, 'pkg');
const STUB = readFileSync(new URL('./stub-engine.mjs', import.meta.url));
const AXE = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/**
 * @typedef {import('playwright-core').Page} Page
 * @typedef {{url: string, requests: string[], release: () => [string, Buffer][]}} Site `requests` are the paths asked for so
 *     far, `release` gives the page's files as served
 * @typedef {{browser?: import('playwright-core').Browser}} Shared
 */

/** A Chromium; with `webgpu`, one that computes WebGPU on the CPU. */
export function launched({ webgpu = false } = {}) {
  return chromium.launch({
    executablePath: env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      webgpu ? '--enable-unsafe-webgpu' : '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/**
 * Launches one Chromium for the tests of a file.
 * @param {Parameters<typeof launched>[0]} [options]
 */
export function withBrowser(options) {
  /** @type {Shared} */
  const shared = {};
  before(async () => {
    shared.browser = await launched(options);
  });
  after(() => shared.browser?.close());
  return shared;
}

/** A bundle that only the stub engine accepts: right sizes and hashes, made-up content. With `vision`, bytes of what encodes images. */
export function madeUpBundle({ bytes = 200_000, vision = 0, ...manifest } = /** @type {{bytes?: number, vision?: number} & Record<string, unknown>} */ ({})) {
  const eyes = vision && { 'eyes.bpk': Buffer.alloc(vision, 'eyes') };
  return describe({ 'weights.bpk': Buffer.alloc(bytes, 'weights'), 'tokenizer.json': Buffer.from('{}'), ...eyes }, manifest);
}

/** What reads text in images, as only the stub engine accepts it. */
export function madeUpOcr({ bytes = 800_000, ...manifest } = /** @type {{bytes?: number} & Record<string, unknown>} */ ({})) {
  const weights = Buffer.alloc(bytes, 'ocr');
  return { 'ocr.bpk': weights, 'manifest.json': Buffer.from(JSON.stringify({ ocr_format: 1, weights: entryOf(weights), ...manifest })) };
}

/** The files of a made-up captioner. */
export function madeUpCaptioner({ bytes = 400_000 } = {}) {
  const weights = Buffer.alloc(bytes, 'caption');
  return { 'caption.bpk': weights, 'manifest.json': Buffer.from(JSON.stringify({ caption_format: 1, weights: entryOf(weights) })) };
}

/** A made-up bundle of each system, by the name of a model. */
export function madeUpModels() {
  const eyes = { object_names: [], class_names: [] };
  return {
    ham: madeUpBundle({ config: { system: 'hamlearning' }, eyes }),
    plain: madeUpBundle({ config: { system: 'text' } }),
    gates: madeUpBundle({ config: { system: 'mgcmt' }, eyes }),
    words: madeUpBundle({ config: { system: 'ita', context: { captions: 5 } }, eyes }),
  };
}

/** `files` and the manifest that fits them. */
function describe(files, manifest) {
  const entries = Object.entries(files).map(([name, bytes]) => [name.split('.')[0], entryOf(bytes)]);
  return { ...files, 'manifest.json': Buffer.from(JSON.stringify({ ...manifest, files: Object.fromEntries(entries) })) };
}

/** What a manifest says of a file. */
function entryOf(bytes) {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** The bundle in a folder, by default the one that `MNER_TEST_BUNDLE` names. */
export function realBundle(folder = env.MNER_TEST_BUNDLE) {
  const read = (name) => readFileSync(join(folder, name));
  const names = ['weights.bpk', 'tokenizer.json', 'eyes.bpk', 'augmentation.bin'];
  const { files } = JSON.parse(read('manifest.json').toString());
  const there = ['manifest.json', ...names.filter((name) => files[name.split('.')[0]])];
  return Object.fromEntries(there.map((name) => [name, read(name)]));
}

/**
 * Serves the page below `/some/path/`, or below each of `prefix`, opens it, and hands `use` the page.
 *
 * @param {Shared} shared
 * @param {{bundle?: Record<string, Buffer>, models?: Record<string, Record<string, Buffer>>, ocr?: Record<string, Buffer>, captioner?: Record<string, Buffer>,
 *          engine?: 'stub' | 'built', devices?: string[], query?: string,
 *          context?: import('playwright-core').BrowserContextOptions,
 *          prefix?: string | string[], intercept?: import('./serve.mjs').Intercept}} options
 *     `bundle` is installed as the model `test`, `models` by their names; `ocr` is what reads the text in images, `captioner` what describes them;
 *     `devices` have an engine of the stub; `intercept` comes before everything else
 * @param {(page: Page, site: Site) => Promise<void>} use
 */
export async function visit(shared, options, use) {
  const { bundle, models = bundle ? { test: bundle } : {}, engine = 'stub', devices = ['cpu'] } = options;
  const { ocr = {}, captioner = {}, query = '', context = {}, intercept = () => false, prefix = '/some/path/' } = options;
  const requests = [];
  const files = new Map();
  files.set('models/index.json', Buffer.from(JSON.stringify(Object.keys(models))));
  for (const [model, parts] of Object.entries(models)) {
    for (const [name, bytes] of Object.entries(parts)) files.set(`models/${model}/${name}`, bytes);
  }
  for (const [name, bytes] of Object.entries(ocr)) files.set(`models/ocr/${name}`, bytes);
  for (const [name, bytes] of Object.entries(captioner)) files.set(`models/caption/${name}`, bytes);
  if (engine === 'stub') {
    files.set('pkg/sizes.json', Buffer.from(JSON.stringify(Object.fromEntries(devices.map((device) => [device, 8])))));
    for (const device of devices) {
      files.set(`pkg/${device}/mner_web.js`, STUB);
      files.set(`pkg/${device}/mner_web_bg.wasm`, Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    }
  }
  if (engine === 'built') for (const [path, bytes] of filesIn(ENGINES)) files.set(`pkg/${path}`, bytes);
  // The page's files as served here, in place of the built ones.
/** @returns {[string, Buffer][]} */
  const release = () => [...filesIn(WWW)].filter(([path]) => !path.startsWith('pkg/')).concat([...files]);
  if (context.serviceWorkers === 'allow') files.set('pkg/precache.js', Buffer.from(precache(release())));
  const site = await serve({
    root: WWW,
    prefix,
    intercept(path, request, response) {
      requests.push(path);
      if (intercept(path, request, response)) return true;
      const bytes = files.get(path);
      // One that ships is not the test's.
      if (!bytes && /^models\/(ocr|caption)\//.test(path)) {
        response.writeHead(404).end();
        return true;
      }
      if (!bytes) return false;
      const type = { js: 'text/javascript', wasm: 'application/wasm' }[path.split('.').pop()] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
      return true;
    },
  });
  // Most tests are not about the service worker, which would answer in place of the site.
  const tab = await shared.browser.newContext({ viewport: { width: 1100, height: 800 }, serviceWorkers: 'block', ...context });
  try {
    const page = await tab.newPage();
    page.setDefaultTimeout(30_000);
    await page.goto(site.url + query);
    await use(page, { url: site.url, requests, release });
  } finally {
    await tab.close();
    await site.close();
  }
}

/** @type {('light' | 'dark')[]} */
export const SCHEMES = ['light', 'dark'];

/** A page of the site with nothing on it, for tests of the module alone. */
export const BLANK = 'icon.svg';

/** Runs `script` at the beginning of every Worker of the page; there `START` counts the Workers, from 1. */
export async function inWorkers(page, script) {
  let starts = 0;
  await page.route('**/worker.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `const START = ${++starts}; ${script};\n${await response.text()}` });
  });
}

/** Waits until the page shows the state with this id. */
export function shows(page, id) {
  return page.locator(`#${id}:not([hidden])`).waitFor();
}

/** Types a tweet as a person would paste it, and waits for its answer. */
export async function enter(page, text) {
  await page.locator('#tweet').fill(text);
  await page.waitForFunction((wanted) => document.querySelector('#marked')?.textContent === wanted, text);
  await shows(page, 'answer');
}

/** The bytes of an example's image. */
export function example(name) {
  return readFileSync(join(WWW, `examples/${name}.webp`));
}

/** An image that says a text, to the stub. */
export function saying(text, name = 'photo.webp') {
  return { name, bytes: Buffer.concat([example('rocket'), Buffer.from(`\nsays\n${text}`)]) };
}

/**
 * Gives the page files as the clipboard or a drag would.
 * @param {Page} page
 * @param {'paste' | 'drop'} event
 * @param {{name?: string, type?: string, bytes?: Buffer, text?: string}[]} given by default one image; `text` comes beside them
 */
export function hand(page, event, ...given) {
  const files = (given.length ? given : [{}]).map(({ name = 'photo.webp', type = 'image/webp', bytes = example('rocket'), text }) => {
    return { name, type, bytes: bytes.toString('base64'), text };
  });
  return page.evaluate(
    ({ event, files }) => {
      const data = new DataTransfer();
      for (const { name, type, bytes, text } of files) {
        data.items.add(new File([Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0))], name, { type }));
        if (text) data.setData('text/plain', text);
      }
      const how = { bubbles: true, cancelable: true };
      const target = document.querySelector('#tweet');
      if (event === 'paste') target.dispatchEvent(new ClipboardEvent('paste', { ...how, clipboardData: data }));
      else for (const type of ['dragenter', 'dragover', 'drop']) target.dispatchEvent(new DragEvent(type, { ...how, dataTransfer: data }));
    },
    { event, files },
  );
}

/** Takes the tweet's images away. */
export async function withoutImages(page) {
  while (await page.locator('.remove').count()) await page.locator('.remove').first().click();
  await page.locator('#seen').waitFor({ state: 'hidden' });
}

/** Waits until the page has looked at the image and says what it made of it. */
export function lookedAt(page) {
  return page.locator('#contribution:not([hidden]) #difference > *').waitFor();
}

/** Saves with one of the page's lists of formats and its button: the file's name and bytes. */
export async function saved(page, format, { list = '#format', button = '#download' } = {}) {
  await page.locator(list).selectOption(format);
  const download = page.waitForEvent('download');
  await page.locator(button).click();
  const file = await download;
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
}

/** The accessibility rules that the page breaks, as one line each. */
export async function accessibilityViolations(page) {
  // Through the debugger, not a script tag: the page's own policy would refuse that.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
}
