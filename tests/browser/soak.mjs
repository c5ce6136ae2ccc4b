/**
 * A soak of the page on the CPU's engine: 500 edits, 200 images, 50 changes of model, and how much memory the tab has meanwhile.
 * It takes minutes to an hour and is no part of `npm test`:
 *
 *     TEST_PKG=... node tests/browser/soak.mjs [EDITS [IMAGES [CHANGES]]]
 *
 * with the models that ship or, where `MODELS` names a folder of three, with those, called as they are.
 *
 * Memory is what is resident of the tab's process after garbage was collected and the browser's caches were emptied. It levels off if over the second half of
 * a phase it grows by less than a tenth of what the tab has; else the exit code is 1.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, env, exit } from 'node:process';
import { ENGINES, enter, launched, realBundle, shows, visit, withoutImages } from './harness.mjs';

const [edits, images, changes] = [500, 200, 50].map((usual, i) => Number(argv[2 + i] ?? usual));
/** How often memory is read in a phase. */
const READINGS = 20;
const MODELS = ['hamlearning', 'text', 'ita'];
const FOLDER = env.MODELS ?? new URL('../../www/models/', import.meta.url).pathname;

const NAMES = ['Sunita Williams', 'Björk', 'Salah', 'Lagos', 'NASA', 'Real Madrid', '李娜', 'Νίκος', 'O&#39;Neal', '@nasa'];
const WORDS = ['is back in', 'never left', '❤️', 'loses to', 'https://t.co/AbC123', '#Boeing', 'and', '…', '東京で', 'meets'];

/** Numbers that are the same in every run. */
let state = 26;
function below(bound) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}

function pick(list) {
  return list[below(list.length)];
}

/** A tweet, or now and then a text of thousands of characters. */
function tweet() {
  const words = Array.from({ length: below(50) === 0 ? 800 : 2 + below(12) }, (_, i) => pick(i % 2 ? WORDS : NAMES));
  return words.join(' ');
}

/** A text as somebody goes on writing it: longer, shorter, or another. */
function edited(text) {
  const how = below(10);
  if (how < 5) return `${text} ${pick(WORDS)}`.slice(-4000);
  if (how < 8) return [...text].slice(0, -1 - below(5)).join('').trim() || tweet();
  return tweet();
}

/** Drops an image that nobody has seen before. */
function dropImage(page, seed) {
  return page.evaluate(async (seed) => {
    const canvas = new OffscreenCanvas(320 + 16 * (seed % 50), 240 + 16 * (seed % 37));
    const context = canvas.getContext('2d');
    for (let i = 0; i < 24; i++) {
      const at = (n) => (Math.imul(seed * 31 + i * 7 + n, 2654435761) >>> 0) / 2 ** 32;
      context.fillStyle = `hsl(${360 * at(1)} 70% ${20 + 60 * at(2)}%)`;
      context.fillRect(canvas.width * at(3) * 0.8, canvas.height * at(4) * 0.8, canvas.width * at(5), canvas.height * at(6));
    }
    const type = ['image/webp', 'image/jpeg', 'image/png'][seed % 3];
    const data = new DataTransfer();
    data.items.add(new File([await canvas.convertToBlob({ type })], `image ${seed}`, { type }));
    const how = { bubbles: true, cancelable: true, dataTransfer: data };
    for (const event of ['dragenter', 'dragover', 'drop']) document.querySelector('#tweet').dispatchEvent(new DragEvent(event, how));
  }, seed);
}

/** Megabytes that are resident of the tab's process, and that its page's scripts hold. */
async function memory(browser, page) {
  const tab = await page.context().newCDPSession(page);
  await tab.send('HeapProfiler.collectGarbage');
  // What the browser keeps only as long as nobody needs the room, decoded images for example, is none of ours.
  await tab.send('Memory.simulatePressureNotification', { level: 'critical' });
  const { usedSize } = await tab.send('Runtime.getHeapUsage');
  await tab.detach();
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const resident = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0) / 1000);
  return { resident: Math.max(...resident), scripts: usedSize / 1e6 };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
let grows = false;

/** Does something many times, and says how much memory there is meanwhile. */
async function phase(browser, page, name, times, step) {
  const readings = [];
  const started = performance.now();
  for (let i = 1; i <= times; i++) {
    await step(i);
    if (i % Math.max(1, Math.floor(times / READINGS)) === 0) readings.push(await memory(browser, page));
  }
  const resident = readings.map((reading) => reading.resident);
  const quarter = Math.max(1, Math.floor(resident.length / 4));
  const [third, last] = [resident.slice(2 * quarter, 3 * quarter), resident.slice(-quarter)].map(mean);
  const levels = last - third < 0.1 * third;
  grows ||= !levels;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const shown = (key) => readings.map((reading) => reading[key].toFixed(0)).join(' ');
  console.log(`${times} ${name} in ${seconds} s: resident ${shown('resident')} MB; scripts ${shown('scripts')} MB; ${levels ? 'levels off' : 'GROWS'}`);
}

if (!existsSync(join(ENGINES, 'cpu', 'mner_web.js'))) {
  console.error(`skipped: the CPU's engine is not in ${ENGINES}; ./build.sh test makes one`);
  exit(1);
}
const browser = await launched();
try {
  const models = Object.fromEntries(MODELS.map((name) => [name, realBundle(join(FOLDER, name))]));
  await visit({ browser }, { models, engine: 'built', query: '?backend=cpu' }, async (page) => {
    page.setDefaultTimeout(300_000);
    await shows(page, 'empty');
    console.log(`at first: resident ${(await memory(browser, page)).resident.toFixed(0)} MB`);
    let text = tweet();
    await phase(browser, page, 'edits', edits, async () => {
      text = edited(text);
      await enter(page, text);
    });
    await enter(page, 'Sunita Williams is back in Houston');
    await phase(browser, page, 'images', images, async (i) => {
      await withoutImages(page);
      await dropImage(page, i);
      // The name stands there when the work begins.
      await page.waitForFunction((name) => {
        const busy = document.querySelector('#panes [aria-busy="true"]');
        return document.querySelector('.image-name')?.textContent === name && !busy;
      }, `image ${i}`);
    });
    await phase(browser, page, 'changes of model', changes, async (i) => {
      await page.locator('#model-choice').selectOption(MODELS[i % MODELS.length]);
      await shows(page, 'answer');
    });
  });
} finally {
  await browser.close();
}
exit(grows ? 1 : 0);
