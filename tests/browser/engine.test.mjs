/** The compiled engine in the browser. Most of it needs a model: `MNER_TEST_BUNDLE` names its folder. */
import assert from 'node:assert/strict';
import { env } from 'node:process';
import { test } from 'node:test';
import { enter, madeUpBundle, realBundle, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const skip = env.MNER_TEST_BUNDLE ? false : 'MNER_TEST_BUNDLE names no model';

const TWEETS = [
  'RT @nasa: 👩🏽‍🚀 Sunita Williams is back in Houston 🇺🇸 with #Boeing',
  '東京でBjörkとNASA、それからالقاهرة',
  'e\u0301 Zoë\u0308 in São Paulo \ud83d alone',
  '👩🏽‍🚀🇺🇸😅🫶🏿👨‍👩‍👧‍👦',
  'A tweet about Oslo and Rome. '.repeat(400).slice(0, 10_000),
];

test('a bundle that holds no model is refused in words', () =>
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
