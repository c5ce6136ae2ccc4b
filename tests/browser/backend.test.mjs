/** Which backend computes, and what happens when it fails: the module alone, on the stub engine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLANK, enter, inWorkers, madeUpBundle, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const bundle = madeUpBundle();

/** A browser whose WebGPU is as described. `features` and `limits` are what an ordinary adapter has. */
function gpu(adapter) {
  return `Object.defineProperty(navigator, 'gpu', { value: ${adapter} })`;
}
const LIMITS = `{ maxStorageBuffersPerShaderStage: 8, maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16384, maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 }`;
const gives = (more = '') => gpu(`{ requestAdapter: async () => ({
  info: { vendor: 'acme' }, features: new Set(['timestamp-query']), limits: ${LIMITS}, ${more} }) }`);

/** Opens the module in a browser with this WebGPU, with both engines unless `devices` says otherwise. */
function module(worker, options, use) {
  return visit(shared, { bundle, devices: ['cpu', 'gpu'], query: BLANK, ...options }, async (page, site) => {
    await inWorkers(page, worker);
    await use(page, site);
  });
}

/** Loads with `backend`, answers `texts`, and reports what was seen. */
function run(page, { backend = 'auto', texts = [], timeout = 5000, model = 'test' } = {}) {
  return page.evaluate(
    async ([backend, texts, timeout, model]) => {
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(`${root}mner.js`);
      const coded = (error) => ({ code: error.code, message: error.message });
      let mner;
      try {
        mner = await Recognizer.load(`${root}models/${model}/`, { backend, timeout });
      } catch (error) {
        return { error: coded(error) };
      }
      const answers = [];
      for (const text of texts) answers.push(await mner.recognize({ text }).catch(coded));
      return { backend: mner.backend, fallback: mner.fallback, loop: mner.loop?.name, answers };
    },
    [backend, texts, timeout, model],
  );
}

/** @type {[string, string, RegExp][]} */
const unusable = [
  ['no WebGPU', gpu('undefined'), /no WebGPU/],
  ['no adapter', gpu('{ requestAdapter: async () => null }'), /no graphics adapter/],
  ['an adapter that fails', gpu(`{ requestAdapter: async () => { throw new Error('driver') } }`), /driver/],
  ['a software adapter', gives(`info: { vendor: 'google', architecture: 'swiftshader' }`), /google swiftshader/],
  ['an adapter that says it is software', gives('isFallbackAdapter: true'), /computes on the CPU/],
  ['no timestamp queries', gives('features: new Set()'), /timestamp queries/],
  ['too few buffers', gives(`limits: { ...${LIMITS}, maxStorageBuffersPerShaderStage: 4 }`), /is 4, not 8/],
];
for (const [name, worker, reason] of unusable) {
  test(`${name}: the CPU computes, says why, and no GPU code is fetched`, () =>
    module(worker, {}, async (page, { requests }) => {
      const { backend, fallback, answers } = await run(page, { texts: ['in Oslo'] });
      assert.equal(backend, 'cpu');
      assert.match(fallback, reason);
      assert.equal(answers[0].backend, 'cpu');
      assert.deepEqual(requests.filter((path) => path.startsWith('pkg/gpu')), []);
    }));
}

test('an adapter that never comes costs seconds, and the CPU says why', { timeout: 60_000 }, () =>
  module(gpu('{ requestAdapter: () => new Promise(() => {}) }'), {}, async (page) => {
    const from = Date.now();
    const { backend, fallback, answers } = await run(page, { texts: ['in Oslo'] });
    assert.deepEqual([backend, answers[0].entities.length], ['cpu', 1]);
    assert.match(fallback, /named no graphics adapter within 4 seconds/);
    assert.ok(Date.now() - from < 30_000);
  }));

test('a browser that gives no adapter at first is asked again, once', () => {
  const adapter = `{ info: {}, features: new Set(['timestamp-query']), limits: ${LIMITS} }`;
  const worker = `let asked = 0; ${gpu(`{ requestAdapter: async () => { console.log('asked'); return asked++ ? ${adapter} : null; } }`)}`;
  return module(worker, {}, async (page) => {
    let asked = 0;
    page.on('console', (message) => (asked += message.text() === 'asked' ? 1 : 0));
    const { backend, fallback } = await run(page);
    assert.deepEqual([backend, fallback, asked], ['webgpu', undefined, 2]);
  });
});

test('WebGPU that was asked for and cannot be used is an error', () =>
  module(gpu('undefined'), {}, async (page) => {
    const { error } = await run(page, { backend: 'webgpu' });
    assert.equal(error.code, 'webgpu');
    assert.match(error.message, /no WebGPU/);
  }));

test('WebGPU that was asked for may be software', () =>
  module(gives('isFallbackAdapter: true'), {}, async (page) => {
    const { backend, fallback } = await run(page, { backend: 'webgpu' });
    assert.deepEqual([backend, fallback], ['webgpu', undefined]);
  }));

test('a usable adapter is used, and no CPU engine is fetched', () =>
  module(gives(), {}, async (page, { requests }) => {
    const { backend, fallback, answers } = await run(page, { texts: ['in Oslo'] });
    assert.deepEqual([backend, fallback, answers[0].backend], ['webgpu', undefined, 'webgpu']);
    assert.deepEqual(requests.filter((path) => path.startsWith('pkg/cpu')), []);
  }));

test('the CPU can be asked for', () =>
  module(gives(), {}, async (page, { requests }) => {
    const { backend, fallback } = await run(page, { backend: 'cpu' });
    assert.deepEqual([backend, fallback], ['cpu', undefined]);
    assert.deepEqual(requests.filter((path) => path.startsWith('pkg/gpu')), []);
  }));

test('a loop of the CPU can be asked for', () =>
  module(gives(), {}, async (page, { requests }) => {
    for (const loop of ['plain', 'relaxed']) {
      const seen = await run(page, { backend: `cpu-${loop}` });
      assert.deepEqual([seen.backend, seen.loop], ['cpu', loop]);
    }
    assert.deepEqual(requests.filter((path) => path.startsWith('pkg/gpu')), []);
    assert.match((await run(page, { backend: 'cpu-fast' })).error.message, /Choose .*cpu-plain/);
  }));

test('the page says which loop computes', () =>
  visit(shared, { bundle, query: '?backend=cpu-relaxed' }, async (page) => {
    await enter(page, 'in Oslo');
    assert.match(await page.locator('#run').innerText(), /omputed on the CPU with relaxed SIMD/);
  }));

test('a model that the relaxed loop does not keep as it is goes to the plain one', () =>
  module(`${gpu('undefined')}; self.LOOP = self.MISREADS = 'relaxed'`, {}, async (page, { requests }) => {
    const { backend, loop, answers } = await run(page, { texts: ['in Oslo'] });
    assert.deepEqual([backend, loop, answers[0].entities.length], ['cpu', 'plain', 1]);
    assert.equal(requests.filter((path) => path === 'pkg/cpu/mner_web_bg.wasm').length, 2);
  }));

test('a loop that is asked for is the only one', () =>
  module(`${gpu('undefined')}; self.MISREADS = 'relaxed'`, {}, async (page) => {
    assert.equal((await run(page, { backend: 'cpu-relaxed' })).error.code, 'device');
  }));

test('a loop that is asked for and cannot be had for this model is an error that says why', () =>
  module(`${gpu('undefined')}; self.REFUSES = { name: 'plain', reason: 'wrong' }`, {}, async (page) => {
    const { code, message } = (await run(page, { backend: 'cpu-relaxed' })).error;
    assert.equal(code, 'engine');
    assert.match(message, /computes it wrongly. Use cpu-plain/);
  }));

test('a site whose WebGPU engine is not built says so', () =>
  module(gives(), { devices: ['cpu'] }, async (page) => {
    const { backend, fallback } = await run(page);
    assert.equal(backend, 'cpu');
    assert.match(fallback, /no WebGPU engine yet/);
  }));

test('a model with a table beyond the adapter goes to the CPU', () => {
  const manifest = JSON.parse(bundle['manifest.json']);
  manifest.config = { encoder: { vocab: 250_000, d: 1024 } };
  const large = { ...bundle, 'manifest.json': Buffer.from(JSON.stringify(manifest)) };
  return module(gives(), { bundle: large }, async (page) => {
    const { backend, fallback } = await run(page);
    assert.equal(backend, 'cpu');
    assert.match(fallback, /table of 1024 MB.* takes 134 MB/);
  });
});

for (const [word, reason] of Object.entries({
  lose: /device failed: lost/,
  crash: /asked to/,
  callback: /in a callback/,
  hang: /No answer within/,
})) {
  test(`a tweet over which WebGPU fails (${word}) is tried again there, then on the CPU, and later ones go there`, () =>
    module(gives(), {}, async (page, { requests }) => {
      // On the CPU the stub fails too, so the answer is the error; what counts is who gave it.
      const { backend, fallback, answers } = await run(page, { texts: ['Oslo', `${word} in Rome`, 'Lima'], timeout: 300 });
      assert.equal(answers[0].backend, 'webgpu');
      assert.match(answers[1].message, reason);
      assert.deepEqual([backend, answers[2].backend], ['cpu', 'cpu']);
      assert.match(fallback, /^WebGPU failed on this machine: /);
      assert.match(fallback, reason);
      const starts = (device) => requests.filter((path) => path === `pkg/${device}/mner_web_bg.wasm`).length;
      // The first start, one more for the second try; then as many on the CPU, and one after it died for good.
      assert.deepEqual([starts('gpu'), starts('cpu')], [2, 3]);
    }));
}

test('a device that fails outside of a call is opened again for the next', () =>
  module(
    `${gives()}; self.addEventListener('message', ({ data }) => {
      if (data.op === 'recognize' && START === 1) setTimeout(() => { throw new Error('the device is gone') });
    })`,
    {},
    async (page, { requests }) => {
      const { backend, fallback, answers } = await run(page, { texts: ['Oslo', 'Rome'] });
      assert.deepEqual(answers.map(({ backend }) => backend), ['webgpu', 'webgpu']);
      assert.deepEqual([backend, fallback], ['webgpu', undefined]);
      assert.equal(requests.filter((path) => path === 'pkg/gpu/mner_web_bg.wasm').length, 2);
    },
  ));

test('a failure that no backend can cure is not tried on another', () =>
  module(gives(), {}, async (page, { requests }) => {
    const { error } = await run(page, { model: 'none' });
    assert.equal(error.code, 'not-found');
    assert.deepEqual(requests.filter((path) => path.startsWith('pkg/cpu')), []);
  }));
