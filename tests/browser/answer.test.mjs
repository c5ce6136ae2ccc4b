/** What the page makes of an answer, and of an engine that gives none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCHEMES, accessibilityViolations, enter, madeUpBundle, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const bundle = madeUpBundle();
const TWEET = '👩🏽‍🚀 Sunita saw Oslo';

test('marks the names in the very text, and lists them', () =>
  visit(shared, { bundle }, async (page) => {
    await enter(page, TWEET);
    assert.deepEqual(await page.locator('#marked mark').allInnerTexts(), ['Sunita', 'Oslo']);
    assert.deepEqual(await page.locator('#names summary').allInnerTexts(), [
      'organisation\nSunita\n91\u00a0%',
      'person\nOslo\n91\u00a0%',
    ]);
    assert.equal(
      await page.locator('#live').innerText(),
      '2 names found: Sunita, organisation; Oslo, person.',
    );
  }));

test('every mark is cut out of the string in the page, also from a tweet of 10,000 characters', () =>
  visit(shared, { bundle }, async (page) => {
    const long = '👩🏽‍🚀 Zoë saw Oslo. '.repeat(600).slice(0, 10_000);
    for (const text of [TWEET, long]) {
      await enter(page, text);
      const marks = await page.evaluate(() => {
        const { value } = document.querySelector('textarea');
        let at = 0;
        const cuts = [];
        const texts = document.createTreeWalker(document.querySelector('#marked'), NodeFilter.SHOW_TEXT);
        for (let node; (node = texts.nextNode()); at += node.textContent.length) {
          const mark = node.parentElement.closest('mark');
          if (mark) cuts.push([value.slice(at, at + node.textContent.length), mark.textContent]);
        }
        return cuts;
      });
      assert.equal(marks.length, text.match(/\p{Lu}\p{L}+/gu).length);
      for (const [cut, shown] of marks) assert.equal(cut, shown);
    }
  }));

test('a text of 300,000 characters is read with progress, and the page stays of use', { timeout: 120_000 }, () =>
  visit(shared, { bundle }, async (page) => {
    await shows(page, 'empty');
    const sentence = 'Zoë saw Oslo. ';
    const text = sentence.repeat(22_000);
    const progress = page.evaluate(
      () =>
        new Promise((done) => {
          const seen = [];
          const bar = /** @type {HTMLProgressElement} */ (document.querySelector('#read'));
          new MutationObserver(() => {
            if (document.querySelector('#reading').checkVisibility()) seen.push(bar.value);
            else if (seen.length) done(seen);
          }).observe(document.querySelector('#reading'), { attributes: true, subtree: true });
        }),
    );
    await enter(page, text);
    const seen = await progress;
    assert.ok(seen.length >= 2 && seen.every((value, i) => value > (seen[i - 1] ?? 0) && value <= 1), seen.join());
    assert.equal(await page.locator('#reading').isVisible(), false);
    assert.equal(await page.locator('#marked mark').count(), 44_000);
    assert.match(await page.locator('#live').innerText(), /^44,000 names found: .*; and 43,990 more\.$/);
    // The page answers a person: the next tweet, typed at once.
    await enter(page, TWEET);
    assert.equal(await page.locator('#marked mark').count(), 2);
  }));

test('of very many names the list holds a page at a time, and a mark leads to its own', () =>
  visit(shared, { bundle, context: { permissions: ['clipboard-read', 'clipboard-write'] } }, async (page) => {
    await enter(page, 'Oslo and Rome '.repeat(225));
    const range = () => page.locator('#range').innerText();
    const numbers = () => page.locator('#names details').evaluateAll((all) => [all.length, all[0].id, all.at(-1).id]);
    assert.equal(await range(), 'Names 1 to 200 of 450');
    assert.deepEqual(await numbers(), [200, 'names-0', 'names-199']);
    assert.deepEqual([await page.locator('#back').isDisabled(), await page.locator('#on').isDisabled()], [true, false]);
    await page.locator('#marked a >> nth=449').click();
    assert.equal(await range(), 'Names 401 to 450 of 450');
    assert.deepEqual(await numbers(), [50, 'names-400', 'names-449']);
    assert.equal(await page.evaluate(() => document.activeElement.closest('details[open]').id), 'names-449');
    assert.equal(await page.locator('#names').evaluate((/** @type {HTMLOListElement} */ list) => list.start), 401);
    assert.deepEqual([await page.locator('#back').isDisabled(), await page.locator('#on').isDisabled()], [false, true]);
    assert.deepEqual(await accessibilityViolations(page), []);
    await page.locator('#back').click();
    assert.equal(await range(), 'Names 201 to 400 of 450');
    await page.locator('#on').click();
    assert.equal(await range(), 'Names 401 to 450 of 450');
    // What is copied holds all of them.
    await page.locator('#copy-conll').click();
    await page.locator('#copy-conll', { hasText: 'Copied' }).waitFor();
    const lines = (await page.evaluate(() => navigator.clipboard.readText())).trimEnd().split('\n');
    assert.deepEqual(lines, Array.from({ length: 225 }, () => ['Oslo B-PER', 'and O', 'Rome B-PER']).flat());
    await enter(page, TWEET);
    assert.equal(await page.locator('#pager').isVisible(), false);
  }));

test('a tweet of emoji alone is shown whole and has no names', () =>
  visit(shared, { bundle }, async (page) => {
    await enter(page, '👩🏽‍🚀🇺🇸😅🫶🏿👨‍👩‍👧‍👦');
    await shows(page, 'none');
    assert.equal(await page.locator('#live').innerText(), 'No names found.');
  }));

test('a mark leads to its runner-up', () =>
  visit(shared, { bundle }, async (page) => {
    await enter(page, TWEET);
    const more = page.locator('#names li >> nth=1').locator('p');
    assert.equal(await more.isVisible(), false);
    await page.locator('#marked a >> nth=1').click();
    assert.match(await more.innerText(), /^Next likeliest: place \(3\u00a0%\)\. Characters 19 to 23/);
  }));

test('answers what is typed last, and an emptied box', () =>
  visit(shared, { bundle }, async (page) => {
    await shows(page, 'empty');
    await page.locator('#tweet').pressSequentially('in Oslo and Rome', { delay: 10 });
    await page.waitForFunction(() => document.querySelectorAll('#marked mark').length === 2);
    await page.locator('#tweet').fill('');
    await shows(page, 'empty');
    await enter(page, 'no name at all');
    assert.equal(await page.locator('#none').isVisible(), true);
  }));

test('treats markup as text', () =>
  visit(shared, { bundle }, async (page) => {
    await enter(page, '<img src=x onerror=alert(1)> <b>Bold</b>');
    assert.equal(await page.locator('#marked img, #marked b, #names img, #names b').count(), 0);
  }));

test('copies JSON and CoNLL', () =>
  visit(shared, { bundle, context: { permissions: ['clipboard-read', 'clipboard-write'] } }, async (page) => {
    await enter(page, 'in “Oslo”, Rome\nand');
    const copied = async (button) => {
      await page.locator(button).click();
      await page.locator(button, { hasText: 'Copied' }).waitFor();
      return page.evaluate(() => navigator.clipboard.readText());
    };
    assert.equal(await copied('#copy-conll'), 'in O\n“ O\nOslo B-PER\n”, O\nRome B-PER\nand O\n');
    const { text, entities } = JSON.parse(await copied('#copy-json'));
    assert.deepEqual(entities.map(({ utf16 }) => text.slice(...utf16)), ['Oslo', 'Rome']);
  }));

test('can be used with the keyboard alone', () =>
  visit(shared, { bundle }, async (page) => {
    await shows(page, 'empty');
    const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'language');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'tweet');
    await page.keyboard.type('to Oslo');
    await page.locator('#marked a').waitFor();
    while ((await focused()) !== 'Oslo') await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'SUMMARY');
    assert.equal(await page.locator('#names details').evaluate((/** @type {HTMLDetailsElement} */ node) => node.open), true);
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('#names details').evaluate((/** @type {HTMLDetailsElement} */ node) => node.open), false);
  }));

for (const colorScheme of SCHEMES) {
  test(`breaks no accessibility rule (${colorScheme})`, () =>
    visit(shared, { bundle, context: { colorScheme, reducedMotion: 'reduce' } }, async (page) => {
      await enter(page, 'Oslo Paris Sunita Someone');
      const types = await page.locator('#marked a').evaluateAll((links) => links.map((link) => link.className));
      assert.deepEqual(types.sort(), ['name LOC', 'name MISC', 'name ORG', 'name PER']);
      await page.locator('#marked a').first().click();
      assert.deepEqual(await accessibilityViolations(page), []);
    }));
}

test('fits a phone', () =>
  visit(shared, { bundle, context: { viewport: { width: 360, height: 740 } } }, async (page) => {
    await enter(page, `Oslo ${'Llanfair'.repeat(20)} https://example.org/${'x'.repeat(200)}`);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
  }));

test('restarts an engine that dies, keeps the text, and goes on with the next', () =>
  visit(shared, { bundle }, async (page) => {
    await shows(page, 'empty');
    await page.locator('#tweet').fill('crash in Oslo');
    await shows(page, 'failure');
    assert.match(await page.locator('#failure-text').innerText(), /asked to/);
    assert.equal(await page.locator('#tweet').inputValue(), 'crash in Oslo');
    await enter(page, 'fine in Oslo');
  }));

test('a tweet that kills the engine takes no other with it', () =>
  visit(shared, { bundle }, async (page) => {
    await shows(page, 'empty');
    const names = await page.evaluate(async () => {
      const { Recognizer } = await import('./mner.js');
      const mner = await Recognizer.load('models/test');
      const dying = mner.recognize({ text: 'crash' }).catch((error) => error.code);
      const innocent = mner.recognize({ text: 'Oslo' });
      return [await dying, (await innocent).entities.map(({ text }) => text)];
    });
    assert.deepEqual(names, ['crashed', ['Oslo']]);
  }));

test('the module: time-out, abort, close and wrong input have their codes', () =>
  visit(shared, { bundle }, async (page) => {
    await shows(page, 'empty');
    const codes = await page.evaluate(async () => {
      const { Recognizer } = await import('./mner.js');
      const caught = (promise) => promise.then(() => 'none', (error) => error.code || error.name);
      const seen = [];
      const aborted = AbortSignal.abort();
      seen.push(await caught(Recognizer.load('models/test', { signal: aborted }).catch((error) => { throw { name: error.name }; })));
      seen.push(await caught(Recognizer.load('models/none')));
      const mner = await Recognizer.load('models/test', { timeout: 300 });
      seen.push(await caught(mner.recognize(/** @type {{text: string}} */ (/** @type {unknown} */ ('a string')))));
      seen.push(await caught(mner.recognize({ text: 'hang' })));
      seen.push((await mner.recognize({ text: 'Oslo' })).entities.length);
      const open = mner.recognize({ text: 'hang' });
      mner.close();
      seen.push(await caught(open));
      seen.push(await caught(mner.recognize({ text: 'Oslo' })));
      return seen;
    });
    assert.deepEqual(codes, ['AbortError', 'not-found', 'input', 'timeout', 1, 'closed', 'closed']);
  }));

test('the smallest page works', () =>
  visit(shared, { bundle, query: 'example.html' }, async (page) => {
    await page.getByText('Ready').waitFor();
    await page.getByLabel('Tweet').fill('in Oslo');
    await page.waitForFunction(() => document.querySelector('#answer').textContent.includes('"text": "Oslo"'));
    assert.deepEqual(await accessibilityViolations(page), []);
  }));
