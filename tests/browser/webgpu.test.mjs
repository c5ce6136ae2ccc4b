/** The compiled WebGPU engine in a browser whose WebGPU computes on the CPU: slow, but the same kernels. */
import assert from 'node:assert/strict';
import { env } from 'node:process';
import { test } from 'node:test';
import { TWEETS, answer, apart, fitting, misled, missing, native, shipped } from './built.mjs';
import { BLANK, inWorkers, realBundle, visit, withBrowser } from './harness.mjs';

const shared = withBrowser({ webgpu: true });
const skip = missing('gpu');
/** One tweet with a picture, one without, one of several windows: each length compiles its own kernels. */
const FEW = [TWEETS[0], TWEETS[3], TWEETS[4]];
const TIMEOUT = 600_000;

/** Makes the adapter look like hardware, so that `auto` takes it. */
const HARDWARE = `
  const { requestAdapter } = GPU.prototype;
  GPU.prototype.requestAdapter = async function (...options) {
    const adapter = await requestAdapter.apply(this, options);
    const { subgroupMinSize, subgroupMaxSize } = adapter.info;
    const info = { vendor: 'acme', architecture: '', device: '', description: '', subgroupMinSize, subgroupMaxSize };
    Object.defineProperty(adapter, 'info', { value: info });
    return adapter;
  }`;
/** Destroys the device of each of the first `times` Workers as soon as a tweet comes in. */
const destroyer = (times) => `
  const { requestDevice } = GPUAdapter.prototype;
  let device;
  GPUAdapter.prototype.requestDevice = async function (...options) {
    return (device = await requestDevice.apply(this, options));
  };
  self.addEventListener('message', ({ data }) => {
    if (data.op === 'recognize' && START <= ${times}) device.destroy();
  })`;
const starts = (requests) => requests.filter((path) => path === 'pkg/gpu/mner_web_bg.wasm').length;

function opened(bundle, worker, use) {
  return visit(shared, { engine: 'built', bundle, query: BLANK }, async (page, site) => {
    page.setDefaultTimeout(TIMEOUT);
    await inWorkers(page, worker);
    await use(page, site);
  });
}

// Of those that ship, the one that the page opens: each takes minutes on a software adapter.
for (const [name, folder] of [['the given model', env.MNER_TEST_BUNDLE], ...Object.entries(shipped()).slice(0, 1)]) {
  test(`gives the command line's answers (${name})`, { skip }, () =>
    opened(realBundle(folder), '', async (page) => {
      const tweets = fitting(folder, name === 'the given model' ? FEW : FEW.slice(0, 1));
      const gpu = await answer(page, tweets, { backend: 'webgpu', timeout: TIMEOUT });
      assert.deepEqual([gpu.error, gpu.backend], [undefined, 'webgpu']);
      tweets.forEach((tweet, i) => {
        const { timings, backend, ...ours } = gpu.answers[i];
        const { text, ...theirs } = native(folder, tweet);
        assert.equal(text, tweet.text);
        assert.equal(timings.look > 0, 'picture' in tweet);
        const named = (/** @type {import('./built.mjs').Answer} */ { entities }) => entities.map(({ type, utf16 }) => [type, ...utf16]);
        assert.deepEqual(named(ours), named(theirs));
        assert.equal(backend, 'webgpu');
        // A detector of random weights sees every place alike: which of them come first is the devices' rounding.
        if (name === 'the given model') for (const { picture } of [ours, theirs]) delete picture?.objects;
        assert.ok(apart(ours, theirs) < 2e-2, `${tweet.text}: ${apart(ours, theirs)} apart`);
      });
    }));
}

test('an engine that computes something else than the bundle knows is refused', { skip }, () =>
  opened(misled(realBundle(), 0.1), '', async (page) => {
    const { error } = await answer(page, [], { backend: 'webgpu', timeout: TIMEOUT });
    assert.equal(error.code, 'device');
  }));

test('is not taken by itself where it computes on the CPU', { skip }, () =>
  opened(realBundle(), '', async (page, { requests }) => {
    const { backend, fallback } = await answer(page, [], { backend: 'auto' });
    assert.equal(backend, 'cpu');
    assert.match(fallback, /computes on the CPU \(google swiftshader/);
    assert.deepEqual(requests.filter((path) => path.startsWith('pkg/gpu')), []);
  }));

test('a device destroyed once is opened again, and the tweet is answered', { skip }, () =>
  opened(realBundle(), destroyer(1), async (page, { requests }) => {
    const { answers, error } = await answer(page, [TWEETS[1]], { backend: 'webgpu', timeout: TIMEOUT });
    assert.equal(error, undefined);
    assert.equal(answers[0].backend, 'webgpu');
    assert.ok(answers[0].picture);
    assert.equal(starts(requests), 2);
  }));

test('a device destroyed again hands over to the CPU, and the tweet is answered', { skip }, () =>
  opened(realBundle(), `${HARDWARE}; ${destroyer(2)}`, async (page, { requests }) => {
    const { answers, backend, fallback } = await answer(page, [TWEETS[1]], { backend: 'auto', timeout: TIMEOUT });
    assert.equal(answers[0].backend, 'cpu');
    assert.equal(backend, 'cpu');
    assert.match(fallback, /^WebGPU failed on this machine: the compute device failed: .*Device was destroyed\.$/);
    assert.ok(answers[0].picture);
    assert.equal(starts(requests), 2);
  }));
