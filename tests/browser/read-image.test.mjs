/** The text in images, and the names in it, through the module: on the stub engine. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { joined, withBounds } from '../../www/name-bounds.js';
import { BLANK, madeUpBundle, madeUpOcr, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const bundle = madeUpBundle();
const ocr = madeUpOcr();
const MANIFEST = 'models/ocr/manifest.json';
const WEIGHTS = 'models/ocr/ocr.bpk';
const ENGINE = 'pkg/cpu/mner_web_bg.wasm';
const said = (text) => `image\nsays\n${text}`;
const of = (requests, path) => requests.filter((one) => one === path).length;

/** A site with a reader, and a page of it with nothing on it. */
function opened(options, use) {
  return visit(shared, { bundle, ocr, query: BLANK, ...options }, use);
}

/**
 * Loads the model and makes calls one after the other: a string is a tweet, `{says}` an image with that in its file.
 * @param {import('./harness.mjs').Page} page
 * @param {(string | {says: string, ocr?: string})[]} calls
 * @param {Record<string, unknown>} [options] of `load`
 * @returns {Promise<any[]>} answers, or the codes and words of errors
 */
function answers(page, calls, options = {}) {
  return page.evaluate(
    async ([calls, options]) => {
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(`${root}mner.js`);
      const mner = await Recognizer.load(`${root}models/test/`, { backend: 'cpu', ...options });
      const answers = [];
      for (const call of calls) {
        const answer = typeof call === 'string' ? mner.recognize({ text: call }) : mner.readImage(new Blob([call.says]), call);
        answers.push(await answer.catch(({ name, code, message }) => ({ name, code, message })));
      }
      mner.close();
      return answers;
    },
    /** @type {const} */ ([calls, options]),
  );
}

test('names have the boxes of the words that they touch, one for every line', () => {
  const word = (text, ...bounds) => ({ text, bounds, confidence: 1 });
  const line = (...words) => ({ text: words.map(({ text }) => text).join(' '), bounds: [0, 0, 0, 0], confidence: 1, words });
  const lines = /** @type {any[]} */ ([
    line(word('“New', 10, 20, 50, 40), word('York', 55, 18, 90, 42), word('🗽', 95, 20, 110, 40)),
    line(word('Times”', 12, 50, 60, 70), word('of', 65, 52, 75, 70)),
    line(word('Oslo', 10, 80, 40, 95)),
  ]);
  const text = joined(lines);
  assert.equal(text, '“New York 🗽\nTimes” of\nOslo');
  const spans = { 'New York': [1, 9], 'York 🗽\nTimes': [5, 18], Oslo: [23, 27] };
  for (const [name, span] of Object.entries(spans)) assert.equal(text.slice(...span), name);
  const names = Object.values(spans).map((utf16, i) => ({ utf16: /** @type {[number, number]} */ (utf16), i }));
  assert.deepEqual(withBounds(names, lines), [
    { utf16: [1, 9], i: 0, bounds: [[10, 18, 90, 42]] },
    { utf16: [5, 18], i: 1, bounds: [[55, 18, 110, 42], [12, 50, 60, 70]] },
    { utf16: [23, 27], i: 2, bounds: [[10, 80, 40, 95]] },
  ]);
  assert.deepEqual(withBounds([], []), []);
});

test('reads lines, and the names in them with their places in the text and in the image', () =>
  opened({}, async (page) => {
    const [answer] = await answers(page, [{ says: said('Sunita Williams of Oslo\nand Rome') }]);
    const { text, width, height, lines, entities, timings, backend } = answer;
    assert.equal(text, 'Sunita Williams of Oslo\nand Rome');
    assert.deepEqual([width, height, backend], [400, 200, 'cpu']);
    assert.deepEqual(lines.map(({ text, bounds, words }) => [text, bounds, words.length]), [
      ['Sunita Williams of Oslo', [0, 0, 230, 20], 4],
      ['and Rome', [0, 30, 80, 50], 2],
    ]);
    assert.deepEqual(entities.map(({ utf16, bounds }) => [text.slice(...utf16), bounds]), [
      ['Sunita', [[0, 0, 60, 20]]],
      ['Williams', [[70, 0, 150, 20]]],
      ['Oslo', [[190, 0, 230, 20]]],
      ['Rome', [[40, 30, 80, 50]]],
    ]);
    assert.ok(entities.every(({ type, confidence, picture }) => type && confidence > 0 && picture === undefined));
    assert.ok(timings.read > 0 && timings.recognize >= 0);
  }));

test('an image in which nothing is written has no lines', () =>
  opened({}, async (page) => {
    const [{ lines, text, entities }] = await answers(page, [{ says: 'image of a wall' }]);
    assert.deepEqual([lines, text, entities], [[], '', []]);
  }));

test('what reads is fetched when it is first asked for, once, with progress, and kept', () =>
  opened({}, async (page, { requests }) => {
    const seen = await page.evaluate(async (says) => {
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(`${root}mner.js`);
      const mner = await Recognizer.load(`${root}models/test/`, { backend: 'cpu' });
      await mner.recognize({ text: 'Oslo', image: new Blob(['image']) });
      const seen = [];
      const onProgress = ({ loaded, total }) => seen.push([loaded, total]);
      await mner.readImage(new Blob([says]), { onProgress });
      const first = seen.length;
      await mner.readImage(new Blob([says]), { onProgress });
      mner.close();
      return { seen, again: seen.length - first };
    }, said('Oslo'));
    assert.deepEqual([of(requests, MANIFEST), of(requests, WEIGHTS)], [1, 1]);
    assert.ok(requests.indexOf(MANIFEST) > requests.indexOf('models/test/weights.bpk'));
    assert.deepEqual(seen.seen.at(0), [0, 800_000]);
    assert.deepEqual(seen.seen.at(-1), [800_000, 800_000]);
    assert.equal(seen.again, 0);
    // Another visit has it.
    await page.reload();
    assert.equal((await answers(page, [{ says: said('Oslo') }]))[0].text, 'Oslo');
    assert.equal(of(requests, WEIGHTS), 1);
  }));

test('a model alone fetches no reader', () =>
  opened({}, async (page, { requests }) => {
    assert.equal((await answers(page, ['in Oslo']))[0].entities.length, 1);
    assert.deepEqual(requests.filter((path) => path.startsWith('models/ocr/')), []);
  }));

test('takes what recognize takes, and refuses in words what is none', () =>
  opened({}, async (page) => {
    const seen = await page.evaluate(async (says) => {
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(`${root}mner.js`);
      const mner = await Recognizer.load(`${root}models/test/`, { backend: 'cpu' });
      const bytes = new TextEncoder().encode(`before${says}`);
      const caught = ({ name, code }) => `${name} ${code}`;
      const read = (image, options) => mner.readImage(image, options).then(({ text }) => text, caught);
      const seen = [];
      for (const image of [new Blob([says]), new File([says], 'a.png'), new TextEncoder().encode(says).buffer, bytes.subarray(6)]) seen.push(await read(image));
      // The view's buffer is still its own.
      seen.push(bytes.length, await read('a path'), await read(undefined), await read(new Blob(['no image'])), await read(new Blob([says]), { ocr: 'http://' }));
      mner.close();
      return seen;
    }, said('Oslo'));
    const length = 'before'.length + said('Oslo').length;
    assert.deepEqual(seen, ['Oslo', 'Oslo', 'Oslo', 'Oslo', length, 'MnerError input', 'MnerError input', 'MnerError picture', 'MnerError input']);
  }));

test('waits for its turn, and the next call for it', () =>
  opened({}, async (page) => {
    const order = await page.evaluate(async (says) => {
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(`${root}mner.js`);
      const mner = await Recognizer.load(`${root}models/test/`, { backend: 'cpu' });
      const order = [];
      await Promise.all([
        mner.recognize({ text: 'slowly Oslo' }).then(() => order.push('first')),
        mner.readImage(new Blob([says])).then(() => order.push('read')),
        mner.recognize({ text: 'Oslo' }).then(() => order.push('last')),
      ]);
      mner.close();
      return order;
    }, said('slowly Rome'));
    assert.deepEqual(order, ['first', 'read', 'last']);
  }));

test('can be aborted, before and while it reads, and closed', () =>
  opened({}, async (page) => {
    const seen = await page.evaluate(async (says) => {
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(`${root}mner.js`);
      const mner = await Recognizer.load(`${root}models/test/`, { backend: 'cpu' });
      const caught = ({ name, code }) => (name === 'AbortError' ? name : code);
      const image = new Blob([says]);
      const seen = [await mner.readImage(image, { signal: AbortSignal.abort() }).catch(caught)];
      const stop = new AbortController();
      const reading = mner.readImage(image, { signal: stop.signal }).catch(caught);
      setTimeout(() => stop.abort(), 200);
      seen.push(await reading, (await mner.readImage(image)).text);
      const open = mner.readImage(image).catch(caught);
      mner.close();
      seen.push(await open, await mner.readImage(image).catch(caught));
      return seen;
    }, said('slowly Oslo'));
    assert.deepEqual(seen, ['AbortError', 'AbortError', 'slowly Oslo', 'closed', 'closed']);
  }));

test('a Worker that was started anew has the reader again, from the cache', () =>
  opened({}, async (page, { requests }) => {
    const seen = await answers(page, [{ says: said('Oslo') }, 'crash', { says: said('Rome') }, { says: said('crash') }, { says: said('Bonn') }]);
    assert.deepEqual(seen.map(({ text, code }) => text ?? code), ['Oslo', 'crashed', 'Rome', 'crashed', 'Bonn']);
    assert.match(seen[3].message, /at an image/);
    assert.equal(of(requests, WEIGHTS), 1);
  }));

test('an image that hangs the engine is given up in time, twice', () =>
  opened({}, async (page, { requests }) => {
    const seen = await answers(page, [{ says: said('hang') }, { says: said('Oslo') }], { timeout: 500 });
    assert.deepEqual(seen.map(({ text, code }) => text ?? code), ['timeout', 'Oslo']);
    assert.equal(of(requests, ENGINE), 3);
  }));

test('after an image that took much memory, a fresh Worker reads on', () =>
  opened({}, async (page, { requests }) => {
    const seen = await answers(page, [{ says: said('very large') }, { says: said('Oslo') }, { says: said('Rome') }]);
    assert.deepEqual(seen.map(({ text }) => text), ['very large', 'Oslo', 'Rome']);
    assert.equal(of(requests, ENGINE), 2);
  }));

test('a reader that is damaged in the cache is fetched again, once', () =>
  opened({}, async (page, { requests }) => {
    const read = async () => assert.equal((await answers(page, [{ says: said('Oslo') }]))[0].text, 'Oslo');
    await read();
    await page.evaluate(async () => {
      const cache = await caches.open('mner-models-v1');
      const key = (await cache.keys()).find(({ url }) => url.includes('ocr.bpk'));
      const bytes = new Uint8Array(await (await cache.match(key)).arrayBuffer());
      bytes[1000] ^= 1;
      await cache.put(key, new Response(bytes));
    });
    await read();
    await read();
    assert.equal(of(requests, WEIGHTS), 2);
  }));

/** @type {Record<string, [Record<string, Buffer>, string, RegExp]>} */
const WRONG = {
  'there is none': [{}, 'not-found', /There is no file at .*models\/ocr\/manifest\.json/],
  'its weights are missing': [{ 'manifest.json': ocr['manifest.json'] }, 'not-found', /models\/ocr\/ocr\.bpk/],
  'its weights are others': [{ ...ocr, 'ocr.bpk': Buffer.alloc(800_000, 'else') }, 'bundle', /ocr\.bpk/],
  'its weights are short': [{ ...ocr, 'ocr.bpk': Buffer.alloc(10) }, 'truncated', /ocr\.bpk ended after 10 of 800000/],
  'its manifest is of another version': [madeUpOcr({ ocr_format: 2 }), 'bundle', /ocr_format 2/],
  'its manifest names no weights': [madeUpOcr({ weights: undefined }), 'bundle', /does not give the size and SHA-256 of ocr\.bpk/],
};
for (const [what, [files, code, words]] of Object.entries(WRONG)) {
  test(`${what}: it is said in words, and tweets are read on`, () =>
    opened({ ocr: files }, async (page, { requests }) => {
      const [wrong, right] = await answers(page, [{ says: said('Oslo') }, 'in Oslo']);
      assert.deepEqual([wrong.name, wrong.code], ['MnerError', code]);
      assert.match(wrong.message, words);
      assert.equal(right.entities.length, 1);
      assert.equal(of(requests, ENGINE), 1);
    }));
}

test('comes from another folder, with its query, and through the caller’s own fetch', () => {
  const intercept = (path, request, response) => {
    if (!path.startsWith('elsewhere/')) return false;
    const bytes = ocr[path.slice('elsewhere/reader/'.length)];
    response.writeHead(bytes ? 200 : 404).end(bytes);
    return true;
  };
  return opened({ intercept }, async (page) => {
    const { text, asked } = await page.evaluate(async (says) => {
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(`${root}mner.js`);
      const asked = [];
      const own = (url, init) => {
        asked.push(String(url).slice(root.length));
        return fetch(url, init);
      };
      const mner = await Recognizer.load('test', { models: `${root}models/?key=1`, backend: 'cpu', fetch: own, cache: false });
      await mner.readImage(new Blob([says]));
      const { text } = await mner.readImage(new Blob([says]), { ocr: `${root}elsewhere/reader?v=2` });
      mner.close();
      return { text, asked };
    }, said('Oslo'));
    assert.equal(text, 'Oslo');
    assert.deepEqual(asked.slice(-4), [`${MANIFEST}?key=1`, `${WEIGHTS}?key=1`, 'elsewhere/reader/manifest.json?v=2', 'elsewhere/reader/ocr.bpk?v=2']);
  });
});

test('an engine that is older than the page says so', () => {
  const stub = readFileSync(new URL('./stub-engine.mjs', import.meta.url), 'utf8').replace('export class Ocr', 'class Ocr');
  const intercept = (path, request, response) => {
    if (path !== 'pkg/cpu/mner_web.js') return false;
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(stub);
    return true;
  };
  return opened({ intercept }, async (page) => {
    const [old, tweet] = await answers(page, [{ says: said('Oslo') }, 'in Oslo']);
    assert.equal(old.code, 'engine');
    assert.match(old.message, /reads no text in images.*build\.sh build/);
    assert.equal(tweet.entities.length, 1);
  });
});
