/** Tweets with several images: up to four, each with its own reading. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCHEMES, accessibilityViolations, enter, example, hand, lookedAt, madeUpModels, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const models = madeUpModels();
const only = (name) => ({ models: { [name]: models[name] } });
const four = ['rocket', 'football', 'concert', 'desert'].map((name) => ({ name: `${name}.webp`, bytes: example(name) }));
const broken = { name: 'broken.webp', bytes: Buffer.concat([example('podium'), Buffer.from('broken')]) };
const strip = (page) => page.locator('#strip button');
const shown = (page) => page.locator('#shown-image').getAttribute('alt');
const pressed = (page) => strip(page).evaluateAll((all) => all.map(({ ariaPressed }) => ariaPressed));
/** Waits until the model has looked at all. */
const all = (page, count) => page.waitForFunction((count) => {
  const said = [...document.querySelectorAll('#strip button')].map(({ textContent }) => textContent);
  return said.length === count && said.every((text) => !text.includes('not read yet'));
}, count);

test('a tweet has up to four images, and each can be taken away', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'Jordan in Oslo');
    await hand(page, 'drop', four[0], four[1]);
    await all(page, 2);
    await hand(page, 'paste', four[2]);
    await all(page, 3);
    await hand(page, 'drop', four[3], broken);
    await page.getByText('A tweet has at most 4 pictures').waitFor();
    await all(page, 4);
    assert.deepEqual(await page.locator('.image-name').allInnerTexts(), four.map(({ name }) => name));
    assert.equal(await page.locator('#choose').isDisabled(), true);
    assert.deepEqual(await accessibilityViolations(page), []);
    // The focus stays where it was.
    await page.getByRole('button', { name: 'Remove the picture football.webp' }).focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Remove the picture concert.webp');
    await all(page, 3);
    assert.deepEqual(await page.locator('.image-name').allInnerTexts(), ['rocket.webp', 'concert.webp', 'desert.webp']);
    for (let left = 3; left > 0; left--) await page.locator('.remove').first().click();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'choose');
    await page.locator('#seen').waitFor({ state: 'hidden' });
    assert.deepEqual([await page.locator('#strip').isVisible(), await page.locator('#image-problem').isVisible()], [false, false]);
  }));

test('the answer is with the first image until another is chosen, which stays so for the next words', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'Jordan in Oslo');
    await hand(page, 'drop', four[0], four[1]);
    await all(page, 2);
    assert.deepEqual([await shown(page), await pressed(page)], ['rocket.webp', ['true', 'false']]);
    assert.deepEqual(await strip(page).allInnerTexts(), ['1: rocket.webp\nrelevant, changes 1 name', '2: football.webp\nrelevant, changes 1 name']);
    const seen = await page.locator('#tags').innerText();
    await strip(page).nth(1).focus();
    await page.keyboard.press('Enter');
    assert.deepEqual([await shown(page), await pressed(page)], ['football.webp', ['false', 'true']]);
    assert.equal(await page.evaluate(() => document.activeElement.closest('li') === document.querySelectorAll('#strip li')[1]), true);
    assert.notEqual(await page.locator('#tags').innerText(), seen);
    assert.match(await page.locator('#live').innerText(), /^2 names found: Jordan, person;/);
    await enter(page, 'in Oslo');
    await all(page, 2);
    assert.deepEqual([await shown(page), await pressed(page)], ['football.webp', ['false', 'true']]);
    assert.deepEqual(await strip(page).locator('.quiet').allInnerTexts(), ['relevant, changes no name', 'relevant, changes no name']);
  }));

test('an entry that is open stays open while the other images are looked at', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'Jordan in Oslo');
    await hand(page, 'drop', ...four);
    await lookedAt(page);
    await page.locator('#marked a').first().click();
    await all(page, 4);
    assert.equal(await page.locator('#names details[open]').count(), 1);
  }));

test('an image that the engine refuses is passed over, as on the command line, and says so where it is chosen', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'Jordan in Oslo');
    await hand(page, 'drop', broken, four[1]);
    await all(page, 2);
    assert.deepEqual([await shown(page), await pressed(page)], ['football.webp', ['false', 'true']]);
    assert.deepEqual(await strip(page).locator('.quiet').allInnerTexts(), ['cannot be read', 'relevant, changes 1 name']);
    assert.equal(await page.locator('#image-note').isVisible(), false);
    await strip(page).first().click();
    assert.match(await page.locator('#image-note').innerText(), /^The picture was left out\. Message of the engine: the file ends/);
    assert.equal(await page.locator('#seen').isVisible(), false);
    assert.deepEqual(await page.locator('#names summary').allInnerTexts(), ['organisation\nJordan\n91\u00a0%', 'person\nOslo\n91\u00a0%']);
    await enter(page, 'Jane in Oslo');
    await page.locator('#image-note.problem').waitFor();
  }));

test('of several files the one that is no image is named, and the others come in', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'In Oslo');
    await hand(page, 'drop', four[0], { name: 'none.webp', bytes: Buffer.from('none') }, four[1]);
    await page.getByText('none.webp is not a picture').waitFor();
    await all(page, 2);
  }));

test('a model that reads text alone says so of all of them', () =>
  visit(shared, only('plain'), async (page) => {
    await enter(page, 'In Oslo');
    await hand(page, 'drop', four[0], four[1]);
    await page.getByText('This model reads text alone: the pictures are left out.').waitFor();
    assert.equal(await page.locator('#strip').isVisible(), false);
  }));

for (const colorScheme of SCHEMES) {
  test(`breaks no accessibility rule and fits a phone (${colorScheme})`, () =>
    visit(shared, { ...only('ham'), context: { colorScheme, reducedMotion: 'reduce', viewport: { width: 360, height: 740 } } }, async (page) => {
      await enter(page, 'Jordan in Oslo');
      await hand(page, 'drop', ...four);
      await all(page, 4);
      assert.deepEqual(await accessibilityViolations(page), []);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
      await shows(page, 'strip');
    }));
}
