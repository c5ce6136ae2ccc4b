/** Images through the module, on the stub engine: who looks when, and what happens to what cannot be looked at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLANK, madeUpBundle, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const bundle = madeUpBundle();

/** Runs `script`, a function of the module and a loaded recogniser, in a blank page. */
async function withModule(script) {
  let result;
  await visit(shared, { bundle, query: BLANK }, async (page) => {
    result = await page.evaluate(`(async () => {
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(root + 'mner.js');
      const mner = await Recognizer.load(root + 'models/test/', { backend: 'cpu', timeout: 2000 });
      const tag = ({ picture }) => picture?.tags[0].name;
      const fails = (promise) => promise.then(() => 'no error', ({ code, message }) => code + ': ' + message);
      return (${script})(mner, tag, fails);
    })()`);
  });
  return result;
}

test('an image is looked at once, as whatever it comes', async () => {
  const seen = await withModule(async (mner, tag) => {
    const bytes = new TextEncoder().encode('....image of kites');
    const images = [new Blob([bytes.subarray(4)]), new File([bytes.subarray(4)], 'a.png'), bytes.slice(4).buffer, bytes.subarray(4)];
    const seen = [];
    for (const image of images) {
      const first = await mner.recognize({ text: 'Oslo', image });
      const again = await mner.recognize({ text: 'Rome', image });
      seen.push([tag(first), tag(again), first.timings.look > 0, again.timings.look, again.timings.recognize >= 0, again.entities.length]);
    }
    seen.push(bytes.length);
    return seen;
  });
  const each = ['image of kites', 'image of kites', true, 0, true, 1];
  assert.deepEqual(seen, [each, each, each, each, 18]);
});

test('without an image nothing is said of one', async () => {
  const [nothing, none] = await withModule(async (mner) => [
    await mner.recognize({ text: 'Oslo' }),
    await mner.recognize({ text: 'Oslo', image: null }),
  ]);
  for (const { picture, timings } of [nothing, none]) assert.deepEqual([picture, timings.look], [undefined, 0]);
});

test('of many images the last used are remembered', async () => {
  const looks = await withModule(async (mner) => {
    const images = Array.from({ length: 17 }, (_, i) => new Blob(['image ' + i]));
    for (const image of images.slice(0, 16)) await mner.recognize({ text: 'Oslo', image });
    const look = async (i) => (await mner.recognize({ text: 'Oslo', image: images[i] })).timings.look > 0;
    return [await look(0), await look(16), await look(0), await look(1)];
  });
  assert.deepEqual(looks, [false, true, false, true]);
});

test('what is no image is refused in words, and the engine lives on', async () => {
  const answers = await withModule(async (mner, tag, fails) => {
    const lost = new Blob(['image']);
    lost.arrayBuffer = undefined;
    const buffer = new ArrayBuffer(8);
    structuredClone(buffer, { transfer: [buffer] });
    const inputs = [new Blob(['<html>']), new Blob([new Uint8Array(2 ** 21)]), 'a string', buffer];
    const said = [];
    for (const image of inputs) said.push(await fails(mner.recognize({ text: 'Oslo', image })));
    const good = await mner.recognize({ text: 'Oslo', image: new Blob(['image of kites']) });
    return [...said, tag(good)];
  });
  assert.match(answers[0], /^picture: this is not an image/);
  assert.match(answers[1], /^picture: the image file has 2097152 bytes/);
  assert.match(answers[2], /^input: image must be/);
  assert.match(answers[3], /^input: .*handed on/);
  assert.equal(answers[4], 'image of kites');
});

test('an image that kills the engine is tried twice; the next is answered', async () => {
  const [error, before, after] = await withModule(async (mner, tag, fails) => {
    const kites = new Blob(['image of kites']);
    const before = await mner.recognize({ text: 'Oslo', image: kites });
    const error = await fails(mner.recognize({ text: 'Oslo', image: new Blob(['image crash']) }));
    const after = await mner.recognize({ text: 'Oslo', image: kites });
    return [error, before.timings.look > 0, after.timings.look > 0];
  });
  assert.match(error, /^crashed: panicked: at an image/);
  // A fresh Worker has seen nothing yet.
  assert.deepEqual([before, after], [true, true]);
});

test('an image that takes much memory gives it back before the next one', async () => {
  const looks = await withModule(async (mner, tag) => {
    const [kites, large, boats] = ['kites', 'something very large', 'boats'].map((what) => new Blob(['image of ' + what]));
    const look = async (image) => {
      const answer = await mner.recognize({ text: 'Oslo', image });
      return [tag(answer), answer.timings.look > 0];
    };
    // The large one is known for as long as no other comes.
    return [await look(kites), await look(large), await look(large), await look(kites), await look(boats), await look(boats), await look(kites), await look(large)];
  });
  const [kites, large, boats] = ['kites', 'something very large', 'boats'].map((what) => `image of ${what}`);
  assert.deepEqual(looks, [[kites, true], [large, true], [large, false], [kites, false], [boats, true], [boats, false], [kites, true], [large, true]]);
});

test('what is said of an image reaches the model', async () => {
  const sure = await withModule(async (mner, tag, fails) => {
    const confidence = async (input) => (await mner.recognize(input)).entities[0].confidence;
    return [
      await confidence({ text: 'Oslo' }),
      await confidence({ text: 'Oslo', caption: 'a town' }),
      await confidence({ text: 'Oslo', caption: 'a town', image: new Blob(['image']) }),
      await confidence({ text: 'Oslo', written: 'HARBOUR' }),
      await confidence({ text: 'Oslo', caption: 'a town', written: 'HARBOUR', image: new Blob(['image']) }),
      await fails(mner.recognize({ text: 'Oslo', caption: 7 })),
      await fails(mner.recognize({ text: 'Oslo', written: ['HARBOUR'] })),
    ];
  });
  const hundredths = sure.slice(0, 5).map((value) => Math.round(100 * value));
  assert.deepEqual(hundredths, [91, 61, 61, 81, 51]);
  assert.match(sure[5], /^input: caption/);
  assert.match(sure[6], /^input: written/);
});
