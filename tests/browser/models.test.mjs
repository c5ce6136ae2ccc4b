/** Several models: choosing one, and comparing two. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessibilityViolations, enter, madeUpBundle, madeUpModels, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const site = { models: madeUpModels() };

test('lists the models with system and size, and opens the first', () =>
  visit(shared, site, async (page) => {
    await shows(page, 'empty');
    assert.deepEqual(await page.getByLabel('Model', { exact: true }).locator('option').allInnerTexts(), [
      'HamLearning · ham · 0.2 MB',
      'Text alone · plain · 0.2 MB',
      'MGCMT · gates · 0.2 MB',
      'ITA · words · 0.2 MB',
    ]);
    assert.equal(await page.locator('#model-choice').inputValue(), 'ham');
    assert.match(await page.locator('#system').innerText(), /how relevant/);
  }));

test('downloads only what is chosen', () => {
  // Of different sizes, or what is cached of one would do for all.
  const models = { a: madeUpBundle(), b: madeUpBundle({ bytes: 150_000 }), c: madeUpBundle({ bytes: 100_000 }) };
  return visit(shared, { models }, async (page, { requests }) => {
    const weights = () => requests.filter((path) => path.endsWith('.bpk'));
    await shows(page, 'empty');
    assert.deepEqual(weights(), ['models/a/weights.bpk']);
    await page.locator('#model-choice').selectOption('c');
    await shows(page, 'empty');
    assert.deepEqual(weights(), ['models/a/weights.bpk', 'models/c/weights.bpk']);
  });
});

test('a choice is remembered in the URL, and answers what is there', () =>
  visit(shared, site, async (page) => {
    await enter(page, 'In Oslo');
    await page.locator('#model-choice').selectOption('plain');
    await page.getByText('Model: Text alone').waitFor();
    assert.equal(new URL(page.url()).search, '?model=plain');
    assert.deepEqual(await page.locator('#marked mark').allInnerTexts(), ['In', 'Oslo']);
    await page.reload();
    await enter(page, 'In Rome');
    assert.equal(await page.locator('#model-choice').inputValue(), 'plain');
  }));

test('there is nothing to choose from one model', () =>
  visit(shared, { ...site, models: { plain: site.models.plain } }, async (page) => {
    await shows(page, 'empty');
    assert.equal(await page.locator('#picker').isVisible(), false);
    assert.equal(await page.locator('#compare-field').isVisible(), false);
  }));

test('compares two models on the same tweet, image and caption', () =>
  visit(shared, site, async (page) => {
    await page.locator('#examples button').first().click();
    await page.locator('#contribution:not([hidden])').waitFor();
    await page.getByLabel('Compare two models').check();
    await shows(page, 'answer-b');
    assert.equal(new URL(page.url()).search, '?compare=plain');
    assert.match(await page.locator('#image-note-b').innerText(), /text alone/);
    await page.locator('#model-choice-b').selectOption('words');
    await page.locator('#contribution-b:not([hidden])').waitFor();
    await page.getByLabel('Caption').fill('a launch');
    await page.waitForFunction(() => /61.%/.test(document.querySelector('#names-b').textContent));
    assert.doesNotMatch(await page.locator('#names').innerText(), /61.%/);
    assert.equal(await page.locator('#marked-b').textContent(), await page.locator('#marked').textContent());
    assert.equal(await page.locator('#relevance').isVisible(), true);
    assert.equal(await page.locator('#relevance-b').isVisible(), false);
    // A name is chosen in its own pane.
    await page.locator('#marked-b a').first().click();
    assert.deepEqual(await page.locator('details[open]').evaluateAll((all) => all.map((one) => one.id)), ['names-b-0']);
    assert.deepEqual(await accessibilityViolations(page), []);
    const ids = await page.evaluate(() => [...document.querySelectorAll('[id]')].map(({ id }) => id));
    assert.equal(new Set(ids).size, ids.length);
    await page.locator('#model-choice').selectOption('words');
    assert.deepEqual(await accessibilityViolations(page), []);
    await page.getByLabel('Compare two models').uncheck();
    assert.equal(await page.locator('.pane').count(), 1);
    assert.equal(new URL(page.url()).search, '?model=words');
    await shows(page, 'said');
    await page.locator('#model-choice').selectOption('gates');
    await page.locator('#said').waitFor({ state: 'hidden' });
  }));

test('opens a comparison that a link names, also on a phone', () =>
  visit(shared, { ...site, query: '?model=gates&compare=ham', context: { viewport: { width: 360, height: 740 } } }, async (page) => {
    await enter(page, 'In Oslo');
    await shows(page, 'answer-b');
    assert.equal(await page.locator('#model-choice-b').inputValue(), 'ham');
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    await page.reload();
    await shows(page, 'empty-b');
  }));

test('a model that a link names and that is not here is told by its name, and another can be chosen', () =>
  visit(shared, { ...site, query: '?model=gone' }, async (page) => {
    await shows(page, 'failure');
    assert.match(await page.locator('#failure-text').innerText(), /models\/gone\/manifest\.json/);
    assert.equal(await page.locator('#model-choice').evaluate((/** @type {HTMLSelectElement} */ select) => select.selectedOptions[0].text), 'gone');
    await page.locator('#model-choice').selectOption('ham');
    await enter(page, 'In Oslo');
  }));

test('a list of models that cannot be reached can be asked for again', async () => {
  // The third is what a network answers that wants a password first.
  /** @type {[number, string][]} */
  const answers = [[500, ''], [200, '{}'], [200, '<!doctype html><title>Log in</title>']];
  for (const [status, body] of answers) {
    let broken = true;
    const intercept = (path, request, response) => {
      if (path !== 'models/index.json' || !broken) return false;
      response.writeHead(status).end(body);
      return true;
    };
    await visit(shared, { ...site, intercept }, async (page) => {
      await shows(page, 'failure');
      assert.match(await page.locator('#failure-text').innerText(), /^The list of models, models\/index\.json, cannot be reached/);
      broken = false;
      await page.locator('#retry').click();
      await enter(page, 'In Oslo');
    });
  }
});

test('a manifest that is none does not hide the other models', () =>
  visit(shared, { models: { ...site.models, broken: { 'manifest.json': Buffer.from('null') }, half: { 'manifest.json': Buffer.from('{"files": {"weights": null}}') } } }, async (page) => {
    await enter(page, 'In Oslo');
    assert.equal(await page.locator('#model-choice option').count(), 6);
    await page.locator('#model-choice').selectOption('broken');
    await shows(page, 'failure');
  }));
