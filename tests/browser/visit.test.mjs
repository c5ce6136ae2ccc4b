/** What was read in this visit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessibilityViolations, enter, example, hand, lookedAt, madeUpModels, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const models = madeUpModels();
const site = { models: { ham: models.ham } };
const entries = (page) => page.locator('#visit-list button').allInnerTexts();

test('lists the tweets with their names, the newest first, and opens them again as they were', () =>
  visit(shared, site, async (page) => {
    await enter(page, 'Jordan in Oslo');
    await hand(page, 'drop');
    await lookedAt(page);
    await enter(page, 'nothing at all');
    await lookedAt(page);
    await page.locator('.remove').click();
    await enter(page, 'To Rome with @Someone');
    assert.deepEqual(await entries(page), [
      'To Rome with @Someone\nTo (organisation), Rome (person), Someone (other name)',
      'nothing at all\nNo names in this one.',
      'Jordan in Oslo\nJordan (person), Oslo (person) · 1 picture',
    ]);
    assert.equal(await page.locator('#visit-count').innerText(), '3 tweets in this visit');
    assert.deepEqual(await accessibilityViolations(page), []);
    await page.getByLabel('Names in @mentions').uncheck();
    assert.match((await entries(page))[0], /To \(organisation\), Rome \(person\)$/);
    await page.locator('#visit-list button').last().focus();
    await page.keyboard.press('Enter');
    await lookedAt(page);
    assert.equal(await page.locator('#tweet').inputValue(), 'Jordan in Oslo');
    assert.equal(await page.locator('.image-name').innerText(), 'photo.webp');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'tweet');
    // The same image, which the model need not look at again.
    assert.match(await page.locator('#run').innerText(), /picture already looked at/);
    assert.equal((await entries(page)).length, 3);
    assert.match((await entries(page))[0], /^Jordan/);
  }));

test('a tweet that is edited has one entry', () =>
  visit(shared, site, async (page) => {
    await shows(page, 'empty');
    await page.locator('#tweet').pressSequentially('in Oslo and Rome', { delay: 150 });
    await page.getByText('1 tweet in this visit').waitFor();
    await page.waitForFunction(() => document.querySelector('#visit-list').textContent.includes('and Rome'));
    assert.deepEqual(await entries(page), ['in Oslo and Rome\nOslo (person), Rome (person)']);
    await page.locator('#tweet').fill('');
    await shows(page, 'empty');
    await page.locator('#tweet').fill('in Oslo and Rome, too');
    await page.getByText('2 tweets in this visit').waitFor();
  }));

test('is gone when it is cleared and when the page is left, and is stored nowhere', () =>
  visit(shared, site, async (page) => {
    await enter(page, 'Secretly in Oslo');
    await page.getByText('1 tweet in this visit').waitFor();
    const stored = await page.evaluate(async () => {
      const all = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie, ...(await indexedDB.databases()).map(({ name }) => name)];
      for (const name of await caches.keys()) for (const { url } of await (await caches.open(name)).keys()) all.push(url);
      return all.join('\n');
    });
    assert.doesNotMatch(stored, /Secretly|Oslo/);
    await page.getByRole('button', { name: 'Clear the list' }).click();
    assert.equal(await page.locator('#visit').isVisible(), false);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'tweet');
    await enter(page, 'To Rome');
    await page.getByText('1 tweet in this visit').waitFor();
    await page.reload();
    await shows(page, 'empty');
    assert.equal(await page.locator('#visit').isVisible(), false);
  }));

test('keeps to what it says it holds, and holds an image once', () =>
  visit(shared, { ...site, query: 'icon.svg' }, async (page) => {
    const held = await page.evaluate(async () => {
      const { MOST, Visit } = await import(new URL('visit.js', location.href).href);
      const model = { name: 'test', url: 'models/test/' };
      const recognition = { entities: [] };
      const record = (visit, tweet, text, blobs = []) => visit.record({ tweet, text, images: blobs.map((blob) => ({ blob, url: 'blob:x' })) }, recognition, model);
      const many = new Visit();
      for (let i = 0; i < 150; i++) record(many, i, `tweet ${i}`);
      const large = new Blob([new Uint8Array(20 << 20)]);
      const same = new Visit();
      for (let i = 0; i < 10; i++) record(same, i, `tweet ${i}`, [large]);
      const different = new Visit();
      for (let i = 0; i < 10; i++) record(different, i, `tweet ${i}`, [new Blob([new Uint8Array(20 << 20)])]);
      const huge = new Visit();
      record(huge, 1, 'small');
      record(huge, 2, 'large', [new Blob([new Uint8Array(70 << 20)])]);
      const texts = ({ all }) => all.map(({ text }) => text);
      return { most: MOST, many: [many.all.length, texts(many).at(0)], same: same.all.length, identical: same.all.every(({ images }) => images[0].blob === large), different: texts(different), huge: texts(huge) };
    });
    assert.deepEqual(held, { most: { tweets: 100, bytes: 64 << 20 }, many: [100, 'tweet 50'], same: 10, identical: true, different: ['tweet 7', 'tweet 8', 'tweet 9'], huge: ['large'] });
  }));

test('of two models that are compared it has the first one’s answers', () =>
  visit(shared, { models, query: '?model=ham&compare=plain' }, async (page) => {
    await enter(page, 'Jordan in Oslo');
    await hand(page, 'drop', { bytes: example('desert') });
    await lookedAt(page);
    await shows(page, 'answer-b');
    assert.deepEqual(await entries(page), ['Jordan in Oslo\nJordan (person), Oslo (person) · 1 picture']);
  }));
