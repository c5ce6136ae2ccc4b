/** The compiled CPU engine in the browser. Most of it needs a model, `MNER_TEST_BUNDLE`, and the command line, `MNER`. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, execPath, versions } from 'node:process';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { TWEETS as SEEN, answer, apart, fitting, imageBytes, misled, missing, native, shipped, withRandomModel } from './built.mjs';
import { BLANK, ENGINES, enter, madeUpBundle, realBundle, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const skip = missing('cpu');

const TWEETS = [
  'RT @nasa: 👩🏽‍🚀 Sunita Williams is back in Houston 🇺🇸 with #Boeing',
  '東京でBjörkとNASA、それからالقاهرة',
  'e\u0301 Zoë\u0308 in São Paulo \ud83d alone',
  '👩🏽‍🚀🇺🇸😅🫶🏿👨‍👩‍👧‍👦',
  'A tweet about Oslo and Rome. '.repeat(400).slice(0, 10_000),
];

test('a bundle that holds no model is refused in words', { skip }, () =>
  visit(shared, { engine: 'built', bundle: madeUpBundle() }, async (page) => {
    await shows(page, 'failure');
    assert.equal(await page.locator('#failure-title').innerText(), 'The model could not be loaded.');
    assert.doesNotMatch(await page.locator('#failure-text').innerText(), /panick|unreachable/);
  }));

test('spans cut the names out of the string', { skip }, () =>
  visit(shared, { engine: 'built', bundle: realBundle() }, async (page) => {
    await shows(page, 'empty');
    const answers = await page.evaluate(async (tweets) => {
      const { Recognizer } = await import('./mner.js');
      const mner = await Recognizer.load('models/test/');
      const answers = [];
      for (const text of tweets) answers.push((await mner.recognize({ text })).entities);
      return answers;
    }, TWEETS);
    let names = 0;
    TWEETS.forEach((tweet, i) => {
      const wellFormed = tweet.toWellFormed?.() ?? tweet.replace(/\p{Surrogate}/gu, '\ufffd');
      let end = 0;
      for (const { type, text, utf16, chars, bytes, confidence, runner_up: other } of answers[i]) {
        names++;
        assert.ok(['PER', 'LOC', 'ORG', 'MISC'].includes(type));
        assert.ok(utf16[0] >= end && utf16[1] > utf16[0]);
        end = utf16[1];
        assert.equal(wellFormed.slice(...utf16), text);
        assert.equal([...wellFormed].slice(...chars).join(''), text);
        assert.equal(Buffer.from(wellFormed).subarray(...bytes).toString(), text);
        assert.ok(confidence >= 0 && confidence <= 1);
        assert.ok(other.type !== type && other.probability >= 0 && other.probability <= 1);
      }
    });
    assert.ok(names > 0, 'the model found no name at all, so nothing was checked');
  }));

test('a tweet of 10,000 characters, and one of emoji only, are shown whole', { skip }, () =>
  visit(shared, { engine: 'built', bundle: realBundle() }, async (page) => {
    for (const text of TWEETS.slice(-2)) await enter(page, text);
  }));

test('one wrong byte in the weights is noticed', { skip }, () => {
  const bundle = realBundle();
  const weights = Buffer.from(bundle['weights.bpk']);
  weights[weights.length >> 1] ^= 1;
  return visit(shared, { engine: 'built', bundle: { ...bundle, 'weights.bpk': weights } }, async (page) => {
    await shows(page, 'failure');
    assert.match(await page.locator('#failure-text').innerText(), /weights\.bpk/);
  });
});

/** Opens a blank page of a site with the compiled engine. */
function opened(bundle, use) {
  return visit(shared, { engine: 'built', bundle, query: BLANK }, use);
}

/** How far the page's answers may be from the command line's with each loop; the relaxed one's inputs may have two bits less. */
const APART = { plain: 2e-3, relaxed: 8e-3 };

/** The page's answers and the command line's, from the model in a folder. */
function compare(folder, loop = 'plain') {
  return opened(realBundle(folder), async (page) => {
    const tweets = fitting(folder, SEEN);
    const { answers, error, loop: used } = await answer(page, tweets, { backend: `cpu-${loop}` });
    assert.equal(error, undefined);
    assert.equal(used.name, loop);
    tweets.forEach((tweet, i) => {
      const { timings, backend, ...ours } = answers[i];
      const { text, ...theirs } = native(folder, tweet);
      assert.equal(text, tweet.text);
      assert.ok(apart(ours, theirs) < APART[loop], `${tweet.text}: ${apart(ours, theirs)} apart`);
      assert.equal(backend, 'cpu');
      assert.equal(timings.look > 0, 'image' in tweet);
    });
    assert.ok(answers.some(({ entities }) => entities.length), 'the model found no name at all');
  });
}

for (const [name, folder] of Object.entries({ 'the given model': env.MNER_TEST_BUNDLE, ...shipped() })) {
  test(`gives the command line's answers (${name})`, { skip }, () => compare(folder));
}
// Chromium knows it since 114.
test("gives the command line's answers by the relaxed loop", { skip }, () => compare(env.MNER_TEST_BUNDLE, 'relaxed'));
test("gives the command line's answers by the relaxed loop (text that ships)", { skip }, () => compare(shipped().text, 'relaxed'));
test('takes the loop that is faster here, and says why', { skip }, () =>
  opened(realBundle(), async (page) => {
    const { name, reason, ratio } = (await answer(page, [])).loop;
    assert.ok(ratio > 0 && (name === 'relaxed' ? ratio < 0.85 && !reason : ratio >= 0.85 && reason === 'slower'));
  }));
test('takes the relaxed loop for a model in 4 bits', { skip }, () =>
  opened(realBundle(shipped().text), async (page) => assert.deepEqual((await answer(page, [])).loop, { name: 'relaxed' })));
// Its first compiler forgets what the product that adds is to be added to; the one that does not it computes rightly. The flag is what
// has it know the instructions at all.
const ELEVEN = versions.v8.startsWith('11.');
test('a V8 that computes the relaxed loop wrongly is found out', { skip: skip || (!ELEVEN && 'Node has another V8 than 11') }, () => {
  const engine = new URL('mner_web.js', pathToFileURL(join(ENGINES, 'cpu/')));
  const script = `
    import { readFileSync } from 'node:fs';
    import init, { chooseLoops } from ${JSON.stringify(engine.href)};
    await init({ module_or_path: readFileSync(new URL('mner_web_bg.wasm', ${JSON.stringify(engine.href)})) });
    console.log(JSON.stringify(chooseLoops('relaxed')));`;
  for (const [flags, fine, coarse] of [
    [[], 'unknown', 'unknown'],
    [['--experimental-wasm-relaxed-simd'], 'wrong', undefined],
  ]) {
    const said = execFileSync(execPath, [...flags, '--input-type=module', '--eval', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const loops = JSON.parse(said);
    assert.deepEqual([loops.fine.name, loops.fine.reason], ['plain', fine]);
    assert.deepEqual([loops.coarse.name, loops.coarse.reason], [coarse ? 'plain' : 'relaxed', coarse]);
  }
});
for (const system of ['text', 'mgcmt', 'ita']) {
  test(`gives the command line's answers (random ${system})`, { skip }, () => withRandomModel(system, compare));
}

test('a caption and the text in an image count for a model that reads them', { skip }, () =>
  withRandomModel('ita', (folder) =>
    opened(realBundle(folder), async (page) => {
      const text = 'Sunita in Houston';
      const { answers } = await answer(page, [{ text }, { text, caption: 'a rocket' }, { text, written: 'ROCKET' }, { text, caption: 'a rocket', image: 'rgb.png' }]);
      const sure = answers.map(({ entities }) => entities[0].confidence);
      assert.equal(new Set(sure).size, 4);
    }),
  ));

test('an engine that computes something else than the bundle knows is refused', { skip }, async () => {
  for (const [loop, right, wrong] of [['plain', 1e-3, 1e-2], ['relaxed', 4e-3, 2e-2]]) {
    const backend = `cpu-${loop}`;
    await opened(misled(realBundle(), right), async (page) => assert.equal((await answer(page, [], { backend })).error, undefined));
    await opened(misled(realBundle(), wrong), async (page) => {
      const { error } = await answer(page, [], { backend });
      assert.equal(error.code, 'device');
      assert.match(error.message, /wrong numbers/);
    });
  }
});

test('an engine that computes something else of an image alone reads texts, and no image', { skip }, () =>
  opened(misled(realBundle(), 1e-2, ['emissions']), async (page) => {
    const tweet = SEEN.find(({ image }) => image);
    const { error, answers } = await answer(page, [tweet, { text: tweet.text }], { backend: 'cpu-plain' });
    assert.equal(error, undefined);
    const [seen, read] = answers;
    assert.match(JSON.stringify(seen), /wrong numbers/);
    assert.ok(Array.isArray(read.entities));
  }));

/** A GIF that claims to be 60,000 pixels a side. */
function bomb() {
  const gif = Buffer.from(imageBytes('see_through.gif'));
  gif.writeUInt16LE(60_000, 6);
  gif.writeUInt16LE(60_000, 8);
  return gif;
}

test('what cannot become an image is refused in words, and the next is looked at', { skip }, () =>
  opened(realBundle(), async (page) => {
    const whole = imageBytes('progressive.jpg');
    /** @type {[Buffer, RegExp][]} */
    const bad = [
      [bomb(), /60000×60000 pixels/],
      [whole.subarray(0, whole.length >> 1), /ends before its image does/],
      [Buffer.from('<html>'), /not an image/],
      [Buffer.alloc(0), /empty/],
    ];
    const { answers } = await answer(page, [...bad.map(([bytes]) => ({ text: 'Oslo', bytes })), { text: 'Oslo', bytes: whole }]);
    bad.forEach(([, sentence], i) => {
      assert.equal(answers[i].code, 'picture');
      assert.match(answers[i].message, sentence);
    });
    assert.ok(answers.at(-1).picture.relevance.global > 0);
  }));

test('a model of text alone says that it takes no image', { skip }, () =>
  withRandomModel('text', (folder) =>
    opened(realBundle(folder), async (page) => {
      const { answers } = await answer(page, [{ text: 'Oslo', image: 'rgb.png' }, { text: 'Oslo' }]);
      assert.equal(answers[0].code, 'input');
      assert.match(answers[0].message, /text alone/);
      assert.ok(answers[1].entities);
    }),
  ));

test('a file too large is refused before its bytes are read', { skip }, () =>
  opened(realBundle(), async (page) => {
    const said = await page.evaluate(async () => {
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(`${root}mner.js`);
      const mner = await Recognizer.load(`${root}models/test/`, { backend: 'cpu' });
      const image = new Blob(Array(160).fill(new Uint8Array(1 << 20)));
      return mner.recognize({ text: 'Oslo', image }).catch(({ code, message }) => `${code}: ${message}`);
    });
    assert.match(said, /^picture: the image file has 167772160 bytes and at most 134217728 are read/);
  }));

test('a file that is gone by the time it is read is refused in words', { skip }, () => {
  const intercept = (path, request, response) => {
    if (path !== 'chooser.html') return false;
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><input type="file">');
    return true;
  };
  return visit(shared, { engine: 'built', bundle: realBundle(), query: 'chooser.html', intercept }, async (page) => {
    const folder = mkdtempSync(join(tmpdir(), 'mner-gone-'));
    writeFileSync(join(folder, 'photo.png'), imageBytes('rgb.png'));
    await page.setInputFiles('input', join(folder, 'photo.png'));
    rmSync(folder, { recursive: true });
    const said = await page.evaluate(async () => {
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(`${root}mner.js`);
      const mner = await Recognizer.load(`${root}models/test/`, { backend: 'cpu' });
      const [image] = document.querySelector('input').files;
      return mner.recognize({ text: 'Oslo', image }).catch(({ code, message }) => `${code}: ${message}`);
    });
    assert.match(said, /^picture: The image file cannot be read any more \(.+\)\. Choose it again\.$/);
  });
});
