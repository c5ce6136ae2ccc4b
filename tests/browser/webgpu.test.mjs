/**
 * The compiled WebGPU engine in a browser whose WebGPU computes on the CPU: slow, but the same kernels. A device compiles its
 * kernels anew, which takes longest, so tests share devices.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { env } from 'node:process';
import { test } from 'node:test';
import { EXAMPLES } from '../../www/examples.js';
import { TWEETS, answer, apart, fitting, imageBytes, misled, missing, native, shipped, withRandomModel } from './built.mjs';
import { BLANK, inWorkers, realBundle, visit, withBrowser } from './harness.mjs';

const WWW = new URL('../../www/', import.meta.url);
const shared = withBrowser({ webgpu: true });
const skip = missing('gpu');
/** One tweet with an image, one without, one of several windows: each length compiles its own kernels. */
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
/** Tweets that destroy the device of each of the first Workers, this many, as soon as they come in. */
const DESTROY = { Oslo: 1, Bergen: 3 };
const DESTROYER = `
  const { requestDevice } = GPUAdapter.prototype;
  let device;
  GPUAdapter.prototype.requestDevice = async function (...options) {
    return (device = await requestDevice.apply(this, options));
  };
  self.addEventListener('message', ({ data }) => {
    if (data.op === 'recognize' && START <= (${JSON.stringify(DESTROY)}[data.text] ?? 0)) device.destroy();
  })`;
const starts = (requests) => requests.filter((path) => path === 'pkg/gpu/mner_web_bg.wasm').length;

/** How far scores of the GPU may be from the command line's, which reads 8 bits of what f32 there has all of. */
const CLOSE = 2e-2;
/** And probabilities of fine types: one of a third moves by 0.024, by as much in f32 on LibTorch. */
const FINE_CLOSE = 3e-2;
/** How far the probabilities of two types are at most that may stand for each other. */
const ALIKE = 5e-3;

/** Checks an answer of the GPU against the command line's. */
function assertNative(folder, tweet, ours, { objects = true } = {}) {
  const { text, ...theirs } = native(folder, tweet);
  assert.equal(text, tweet.text);
  const named = (/** @type {import('./built.mjs').Answer} */ { entities }) => entities.map(({ type, utf16 }) => [type, ...utf16]);
  assert.deepEqual(named(ours), named(theirs));
  // Two types may be all but equally likely to be second, and two fine types to be first: which of them is said is then a matter of rounding.
  for (const [i, { runner_up: second, kind }] of theirs.entities.entries()) {
    const { runner_up: ourSecond, kind: ourKind } = ours.entities[i];
    if (apart(ourSecond.probability, second.probability) < ALIKE) ourSecond.type = second.type;
    if (!kind) continue;
    const fineApart = apart(ourKind.probability, kind.probability);
    if (fineApart < ALIKE) ourKind.name = kind.name;
    assert.ok(fineApart < FINE_CLOSE, `${tweet.text}: ${ourKind.name} is ${fineApart} apart`);
    ourKind.probability = kind.probability;
  }
  if (!objects) for (const { picture } of [ours, theirs]) delete picture?.objects;
  assert.ok(apart(ours, theirs) < CLOSE, `${tweet.text}: ${apart(ours, theirs)} apart`);
}

test('is not taken by itself where it computes on the CPU', { skip }, () =>
  visit(shared, { engine: 'built', bundle: realBundle(), query: BLANK }, async (page, { requests }) => {
    const { backend, fallback } = await answer(page, [], { backend: 'auto' });
    assert.equal(backend, 'cpu');
    assert.match(fallback, /computes on the CPU \(google swiftshader/);
    assert.deepEqual(requests.filter((path) => path.startsWith('pkg/gpu')), []);
  }));

test("the given model gives the command line's answers", { skip }, () =>
  visit(shared, { engine: 'built', bundle: realBundle(), query: BLANK }, async (page, { requests }) => {
    page.setDefaultTimeout(TIMEOUT);
    await inWorkers(page, HARDWARE);
    const folder = env.MNER_TEST_BUNDLE;
    const tweets = fitting(folder, FEW);
    const { answers, error, backend, fallback } = await answer(page, tweets, { backend: 'auto', timeout: TIMEOUT });
    assert.deepEqual([error, backend, fallback], [undefined, 'webgpu', undefined]);
    tweets.forEach((tweet, i) => {
      const { timings, backend, ...ours } = answers[i];
      assert.equal(timings.look > 0, 'image' in tweet);
      assert.equal(backend, 'webgpu');
      // A detector of random weights sees every place alike: which of them come first is the devices' rounding.
      assertNative(folder, tweet, ours, { objects: false });
    });
    assert.equal(starts(requests), 1);
  }));

// Each of its devices compiles kernels: those of a model that reads words alone are few.
test('a device that is destroyed', { skip }, (t) =>
  withRandomModel('text', (folder) =>
    visit(shared, { engine: 'built', bundle: realBundle(folder), query: BLANK }, async (page, { requests }) => {
      page.setDefaultTimeout(TIMEOUT);
      await inWorkers(page, `${HARDWARE}; ${DESTROYER}`);
      const load = { backend: 'auto', timeout: TIMEOUT, keep: true };

      await t.test('is opened again, and the tweet is answered', async () => {
        const { answers, error } = await answer(page, [{ text: 'Oslo' }], load);
        assert.equal(error, undefined);
        assert.equal(answers[0].backend, 'webgpu');
        assert.equal(starts(requests), 2);
      });

      await t.test('once more, hands over to the CPU, and the tweet is answered', async () => {
        const { answers, backend, fallback } = await answer(page, [{ text: 'Bergen' }], load);
        assert.equal(answers[0].backend, 'cpu');
        assert.equal(backend, 'cpu');
        assert.match(fallback, /^WebGPU failed on this machine: the compute device failed: .*Device was destroyed\.$/);
        assert.ok(Array.isArray(answers[0].entities));
        assert.equal(starts(requests), 3);
      });
    })));

/** Starts the engine in the page itself, without a Worker. */
function startEngine(page) {
  return page.evaluate(async () => {
    const glue = new URL('pkg/gpu/mner_web.js', new URL('.', location.href)).href;
    const engine = await import(glue);
    await engine.default({ module_or_path: new URL('mner_web_bg.wasm', glue).href });
    /** Loads one of the site's models and checks it as the page's Worker does. */
    globalThis.loadModel = async (name) => {
      const whole = async (file) => new Uint8Array(await (await fetch(new URL(`models/${name}/${file}`, new URL('.', location.href)))).arrayBuffer());
      const manifest = await whole('manifest.json');
      const { files } = JSON.parse(new TextDecoder().decode(manifest));
      const names = { weights: 'weights.bpk', tokenizer: 'tokenizer.json', eyes: 'eyes.bpk', augmentation: 'augmentation.bin' };
      const buffers = [];
      for (const [key, file] of Object.entries(names)) {
        if (!files[key]) continue;
        const bytes = await whole(file);
        const buffer = new engine.FileBuffer(bytes.length);
        buffer.write(0, bytes);
        buffers.push([key, buffer]);
      }
      const { weights, tokenizer, eyes, augmentation } = Object.fromEntries(buffers);
      const recognizer = await engine.Recognizer.load(manifest, weights, tokenizer, eyes, augmentation);
      await recognizer.check(2e-2);
      return recognizer;
    };
  });
}

test('models share the device of an instance', { skip }, (t) => {
  const [name, folder] = Object.entries(shipped())[0];
  const models = { [name]: realBundle(folder), misled: misled(realBundle(), 0.1) };
  return visit(shared, { engine: 'built', models, query: BLANK }, async (page) => {
    page.setDefaultTimeout(TIMEOUT);
    await startEngine(page);
    const [tweet] = fitting(folder, FEW);
    const pair = ['example.basketball', 'example.desert'].map((name) => EXAMPLES.find((example) => example.name === name));
    const beside = pair.map(({ text, image }) => ({ text, bytes: readFileSync(new URL(image, WWW)) }));
    const inputs = [{ text: tweet.text, bytes: tweet.image && imageBytes(tweet.image) }, ...beside];
    const answers = await page.evaluate(
      async ({ name, inputs }) => {
        const recognizer = await globalThis.loadModel(name);
        const answers = [];
        for (const { text, base64 } of inputs) {
          const bytes = base64 && Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
          const encoded = bytes && (await recognizer.encodeImage(new Blob([bytes])));
          answers.push(encoded ? await recognizer.recognizeWith(text, encoded) : await recognizer.recognize(text));
        }
        return answers;
      },
      { name, inputs: inputs.map(({ text, bytes }) => ({ text, base64: bytes?.toString('base64') })) },
    );

    // Of those that ship, the one that the page opens: each takes minutes on a software adapter.
    await t.test(`gives the command line's answers (${name})`, () => assertNative(folder, tweet, answers[0]));

    await t.test('the image decides what Jordan is', () => {
      assert.equal(pair[0].text, pair[1].text);
      const jordan = ({ entities }) => entities.filter(({ text }) => text === 'Jordan').map(({ type }) => type);
      assert.deepEqual(answers.slice(1).map(jordan), [['PER'], ['LOC']]);
    });

    await t.test('an engine that computes something else than the bundle knows is refused', async () => {
      const code = await page.evaluate(() => globalThis.loadModel('misled').then(() => 'none', (error) => error.code));
      assert.equal(code, 'device');
    });
  });
});
