/** Describing an image: on the stub engine, which says what an image's file says at its end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessibilityViolations, enter, hand, lookedAt, madeUpCaptioner, madeUpModels, saying, shows, visit, withBrowser, withoutImages } from './harness.mjs';

const shared = withBrowser();
const models = madeUpModels();
const captioner = madeUpCaptioner();
const site = { models: { words: models.words }, captioner };
const WEIGHTS = 'models/caption/caption.bpk';
const offer = (page) => page.getByRole('button', { name: 'Describe the picture' });
const note = (page) => page.locator('#caption-note');
const caption = (page) => page.getByLabel('Caption');

async function written(page, expected) {
  await page.waitForFunction((expected) => /** @type {HTMLInputElement} */ (document.querySelector('#caption')).value === expected, expected);
}

test('writes a caption that can be edited, and fetches what writes it when it is asked to', () =>
  visit(shared, site, async (page, { requests }) => {
    const asked = () => requests.filter((path) => path.startsWith('models/caption/'));
    await enter(page, 'In Oslo');
    assert.equal(await offer(page).isVisible(), false);
    await hand(page, 'drop', saying('a town'));
    await lookedAt(page);
    await offer(page).waitFor();
    assert.deepEqual(asked(), ['models/caption/manifest.json']);
    assert.equal(await note(page).innerText(), 'fetches 0.4 MB the first time');
    assert.deepEqual(await accessibilityViolations(page), []);
    await offer(page).click();
    await written(page, 'a picture that says a town');
    assert.equal(await note(page).isVisible(), false);
    // It counts as one that was typed.
    await page.waitForFunction(() => /61.%/.test(document.querySelector('#names').textContent));
    await caption(page).fill('a town by the sea');
    await offer(page).click();
    await written(page, 'a picture that says a town');
    assert.equal(asked().filter((path) => path === WEIGHTS).length, 1);
  }));

test('is not offered without an image, to a model without captions, or where there is nothing to describe with', async () => {
  await visit(shared, { ...site, models: { words: models.words, ham: models.ham } }, async (page) => {
    await enter(page, 'In Oslo');
    await hand(page, 'drop', saying('a town'));
    await offer(page).waitFor();
    await withoutImages(page);
    await offer(page).waitFor({ state: 'hidden' });
    await page.locator('#model-choice').selectOption('ham');
    await page.locator('#said').waitFor({ state: 'hidden' });
  });
  await visit(shared, { models: { words: models.words } }, async (page) => {
    await enter(page, 'In Oslo');
    await hand(page, 'drop', saying('a town'));
    await lookedAt(page);
    assert.equal(await offer(page).isVisible(), false);
    assert.equal(await caption(page).isVisible(), true);
  });
});

test('says that no words were found, or why there are none', () =>
  visit(shared, site, async (page) => {
    await shows(page, 'empty');
    await hand(page, 'drop', saying('wordless'));
    await offer(page).click();
    await page.getByText('No words were found for this picture.').last().waitFor();
    assert.equal(await caption(page).inputValue(), '');
    await withoutImages(page);
    await hand(page, 'drop', saying('unplaced'));
    await offer(page).click();
    await page.getByText('Message of the engine: the image has 0 values in the space of sentences').last().waitFor();
    assert.deepEqual(await accessibilityViolations(page), []);
  }));

test('a caption that comes too late is not written', () =>
  visit(shared, site, async (page) => {
    await shows(page, 'empty');
    await hand(page, 'drop', saying('slowly'));
    await offer(page).click();
    await page.getByText('Looking for words').last().waitFor();
    assert.equal(await offer(page).isDisabled(), true);
    await withoutImages(page);
    await hand(page, 'drop', saying('a town'));
    await offer(page).click();
    await written(page, 'a picture that says a town');
  }));

test('works offline once it was fetched, and says where it was not', () =>
  visit(shared, site, async (page) => {
    await shows(page, 'empty');
    await hand(page, 'drop', saying('a town'));
    await offer(page).waitFor();
    await page.context().setOffline(true);
    await offer(page).click();
    await page.getByText('is not on your device yet').last().waitFor();
    await page.context().setOffline(false);
    await offer(page).click();
    await written(page, 'a picture that says a town');
  }));

test('the module describes an image, and says what it was not given', () =>
  visit(shared, site, async (page) => {
    const found = await page.evaluate(async () => {
      const { Recognizer } = await import('./mner.js');
      const mner = await Recognizer.load('models/words/', { backend: 'cpu' });
      const image = new Blob(['image\nsays\na town']);
      const failed = async (promise) => promise.then(() => undefined, ({ code, message }) => `${code}: ${message}`);
      const described = await mner.describeImage(image);
      const again = await mner.describeImage(image, { captioner: 'models/caption/' });
      const wrong = await failed(mner.describeImage(/** @type {any} */ ('a.jpg')));
      const nowhere = await failed(mner.describeImage(image, { captioner: 'models/nowhere/' }));
      mner.close();
      return { described, again, wrong, nowhere };
    });
    assert.deepEqual(found.described.caption, { text: 'a picture that says a town', confidence: 0.5 });
    assert.ok(found.described.timings.look > 0);
    assert.equal(found.again.timings.look, 0);
    assert.equal(found.again.backend, 'cpu');
    assert.match(found.wrong, /^input: /);
    assert.match(found.nowhere, /nowhere/);
  }));
