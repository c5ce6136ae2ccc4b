/** The download of a model, through the module: what is kept, what is fetched again, and what is not believed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLANK, inWorkers, madeUpBundle, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const WEIGHTS = 'models/test/weights.bpk';
const PART = 1 << 20;
/** Two parts and a bit. */
const bundle = madeUpBundle({ bytes: 2 * PART + 500_000 });
const whole = bundle['weights.bpk'];

/** Loads a model and closes it; `stop` ends the download when that many bytes of the weights are there. */
function load(page, { model = 'test', stop = Infinity } = {}) {
  return page.evaluate(async ([model, stop]) => {
    const root = new URL('.', location.href).href;
    const { Recognizer } = await import(`${root}mner.js`);
    const stopper = new AbortController();
    const seen = [];
    const onProgress = ({ parts }) => {
      const loaded = parts['weights.bpk']?.loaded ?? 0;
      seen.push(loaded);
      if (loaded >= stop) stopper.abort();
    };
    try {
      const mner = await Recognizer.load(`${root}models/${model}/`, { backend: 'cpu', onProgress, signal: stopper.signal });
      const { entities } = await mner.recognize({ text: 'Oslo' });
      mner.close();
      return { seen, names: entities.length };
    } catch (error) {
      return { seen, error: `${error.code ?? error.name}: ${error.message}` };
    }
  }, [model, stop]);
}

/** Answers for the weights by `answer(from, response)`, and notes the ranges asked for. */
function weights(answer) {
  const ranges = [];
  const intercept = (path, request, response) => {
    if (path !== WEIGHTS) return false;
    const { range } = request.headers;
    ranges.push(range);
    return answer(range ? Number(/\d+/.exec(range)[0]) : 0, response, ranges.length) ?? true;
  };
  return { ranges, intercept };
}

const part = (response, from, to, status = from ? 206 : 200) => {
  response.writeHead(status, { 'content-length': whole.length - from, 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` });
  return response.write(whole.subarray(from, to));
};

test('a download that was stopped goes on where it stopped, also at the next visit', () => {
  // The first answer stays open after a part and a half.
  const { ranges, intercept } = weights((from, response, count) => {
    if (count > 1) return false;
    part(response, from, PART * 1.5);
  });
  return visit(shared, { bundle, intercept, query: BLANK }, async (page) => {
    const stopped = await load(page, { stop: PART * 1.5 });
    assert.match(stopped.error, /^20: |^AbortError/);
    await page.reload();
    const { names, seen } = await load(page);
    assert.equal(names, 1);
    assert.deepEqual(ranges, [undefined, `bytes=${PART}-`]);
    assert.ok(seen.includes(PART) && seen.at(-1) === whole.length);
    // And now all of it is there.
    assert.equal((await load(page)).names, 1);
    assert.equal(ranges.length, 2);
  });
});

test('a connection that breaks again and again is taken up again and again', () => {
  const step = 600_000;
  const { ranges, intercept } = weights((from, response) => {
    part(response, from, from + step);
    if (from + step >= whole.length) response.end();
    else setTimeout(() => response.destroy(), 50);
  });
  return visit(shared, { bundle, intercept, query: BLANK }, async (page) => {
    assert.equal((await load(page)).names, 1);
    assert.equal(ranges.length, Math.ceil(whole.length / step));
  });
});

test('a server that knows no ranges sends all of it again', () => {
  const { ranges, intercept } = weights((from, response, count) => {
    if (count === 1) {
      part(response, 0, PART + 1000);
      setTimeout(() => response.destroy(), 50);
    } else response.writeHead(200, { 'content-length': whole.length }).end(whole);
  });
  return visit(shared, { bundle, intercept, query: BLANK }, async (page) => {
    assert.equal((await load(page)).names, 1);
    assert.equal(ranges.length, 2);
    assert.match(ranges[1], /^bytes=[1-9]\d*-$/);
  });
});

test('a range of compressed bytes is not believed', () => {
  const { ranges, intercept } = weights((from, response, count) => {
    if (count === 1) {
      part(response, 0, 500_000);
      setTimeout(() => response.destroy(), 50);
    } else if (from) {
      response.writeHead(206, { 'content-encoding': 'gzip', 'content-length': 10 }).end(Buffer.alloc(10));
    } else response.writeHead(200, { 'content-length': whole.length }).end(whole);
  });
  return visit(shared, { bundle, intercept, query: BLANK }, async (page) => {
    assert.equal((await load(page)).names, 1);
    assert.deepEqual([ranges[0], ranges.at(-1)], [undefined, undefined]);
    assert.ok(ranges.length > 2);
  });
});

test('a file that ends early is named, and not asked for without end', () => {
  const { ranges, intercept } = weights((from, response) => {
    response.writeHead(200, { 'content-length': 1000 }).end(whole.subarray(0, 1000));
  });
  return visit(shared, { bundle, intercept, query: BLANK }, async (page) => {
    const { error } = await load(page);
    assert.match(error, /^truncated: .*weights\.bpk ended after 1000 of 2597152 bytes/);
    assert.equal(ranges.length, 5);
  });
});

test('a file that is longer than its manifest says is refused', () => {
  const { intercept } = weights((from, response) => {
    response.writeHead(200).end(Buffer.concat([whole, Buffer.from('more')]));
  });
  return visit(shared, { bundle, intercept, query: BLANK }, async (page) => {
    assert.match((await load(page)).error, /^truncated: .*weights\.bpk is longer than/);
  });
});

test('a cache that is damaged is fetched again, once', () => {
  const { ranges, intercept } = weights(() => false);
  return visit(shared, { bundle, intercept, query: BLANK }, async (page) => {
    assert.equal((await load(page)).names, 1);
    await page.evaluate(async () => {
      const cache = await caches.open('mner-models-v1');
      const key = (await cache.keys()).find(({ url }) => url.includes('weights') && url.includes('from=0'));
      const bytes = new Uint8Array(await (await cache.match(key)).arrayBuffer());
      bytes[1000] ^= 1;
      await cache.put(key, new Response(bytes));
    });
    assert.equal((await load(page)).names, 1);
    assert.equal(ranges.length, 2);
    assert.equal((await load(page)).names, 1);
    assert.equal(ranges.length, 2);
  });
});

test('a file that two models have in common is fetched and kept once', () => {
  const other = madeUpBundle({ bytes: 100_000 });
  const tokenizer = (path) => path.endsWith('/tokenizer.json');
  return visit(shared, { models: { test: bundle, other }, query: BLANK }, async (page, { requests }) => {
    const kept = () => page.evaluate(async () => (await (await caches.open('mner-models-v1')).keys()).map(({ url }) => new URL(url).pathname));
    assert.equal((await load(page)).names, 1);
    assert.equal((await load(page, { model: 'other' })).names, 1);
    assert.deepEqual(requests.filter(tokenizer), ['models/test/tokenizer.json']);
    assert.deepEqual((await kept()).filter(tokenizer), ['/some/path/models/test/tokenizer.json']);
    assert.ok((await kept()).includes('/some/path/models/other/weights.bpk'));
    // Damaged there, it is fetched again here.
    await page.evaluate(async () => {
      const cache = await caches.open('mner-models-v1');
      const key = (await cache.keys()).find(({ url }) => url.includes('tokenizer'));
      await cache.put(key, new Response('[]'));
    });
    assert.equal((await load(page, { model: 'other' })).names, 1);
    assert.deepEqual(requests.filter(tokenizer), ['models/test/tokenizer.json', 'models/other/tokenizer.json']);
    assert.equal((await load(page)).names, 1);
    assert.equal(requests.filter(tokenizer).length, 2);
  });
});

test('two models that are opened together fetch once what they have in common', () => {
  const models = { test: bundle, same: bundle };
  return visit(shared, { models, query: BLANK }, async (page, { requests }) => {
    const answers = await Promise.all(Object.keys(models).map((model) => load(page, { model })));
    assert.deepEqual(answers.map(({ names }) => names), [1, 1]);
    for (const name of ['weights.bpk', 'tokenizer.json']) assert.equal(requests.filter((path) => path.endsWith(`/${name}`)).length, 1);
  });
});

test('another version of a model takes the place of the one in the cache', () => {
  const other = madeUpBundle({ bytes: 100_000 });
  let files = bundle;
  const intercept = (path, request, response) => {
    if (!path.startsWith('models/test/')) return false;
    response.writeHead(200).end(files[path.slice('models/test/'.length)]);
    return true;
  };
  return visit(shared, { bundle, intercept, query: BLANK }, async (page) => {
    assert.equal((await load(page)).names, 1);
    files = other;
    assert.equal((await load(page)).names, 1);
    const sizes = await page.evaluate(async () => {
      const cache = await caches.open('mner-models-v1');
      const hits = await Promise.all((await cache.keys()).filter(({ url }) => url.includes('weights')).map((key) => cache.match(key)));
      return Promise.all(hits.map(async (hit) => (await hit.arrayBuffer()).byteLength));
    });
    assert.deepEqual(sizes, [100_000]);
  });
});

test('a browser without a cache works', () =>
  visit(shared, { bundle, query: BLANK }, async (page) => {
    await inWorkers(page, "Object.defineProperty(self, 'caches', { get() { throw new Error('no cache here') } })");
    assert.equal((await load(page)).names, 1);
  }));

test('the vision networks and the augmentation table come too where the manifest names them', () => {
  const { createHash } = process.getBuiltinModule('node:crypto');
  const more = { 'eyes.bpk': Buffer.from('eyes'), 'augmentation.bin': Buffer.from('words') };
  const manifest = JSON.parse(bundle['manifest.json']);
  for (const [name, bytes] of Object.entries(more)) {
    manifest.files[name.split('.')[0]] = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  }
  const seeing = { ...bundle, ...more, 'manifest.json': Buffer.from(JSON.stringify(manifest)) };
  return visit(shared, { bundle: seeing, query: BLANK }, async (page, { requests }) => {
    assert.equal((await load(page)).names, 1);
    for (const name of Object.keys(more)) assert.ok(requests.includes(`models/test/${name}`), name);
  });
});
