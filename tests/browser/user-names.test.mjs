/** The switch for names in @mentions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCHEMES, accessibilityViolations, enter, hand, lookedAt, madeUpModels, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const site = { models: madeUpModels() };
const TWEET = 'in Oslo with @Jane, @Someone and #Rome';
const toggle = (page) => page.getByRole('switch', { name: 'Names in @mentions' });
const marked = (page) => page.locator('#marked mark').allInnerTexts();
const listed = (page) => page.locator('#names .text').allInnerTexts();

test('is on at first, leaves them out of everything when off, and is remembered', () =>
  visit(shared, { ...site, context: { permissions: ['clipboard-read', 'clipboard-write'] } }, async (page) => {
    const copied = async (button) => {
      await page.locator(button).click();
      await page.locator(button, { hasText: 'Copied' }).waitFor();
      return page.evaluate(() => navigator.clipboard.readText());
    };
    await enter(page, TWEET);
    assert.equal(await toggle(page).isChecked(), true);
    assert.deepEqual(await marked(page), ['Oslo', 'Jane', 'Someone', 'Rome']);
    assert.equal(await page.locator('#left-out').isVisible(), false);
    await page.locator('#marked a >> nth=1').click();
    assert.match(await page.locator('#names details[open] p').innerText(), /Characters 14 to 18 of the text, a user name\.$/);

    await toggle(page).uncheck();
    for (const names of [await marked(page), await listed(page)]) assert.deepEqual(names, ['Oslo', 'Rome']);
    assert.equal(await page.locator('#marked').textContent(), TWEET);
    assert.equal(await page.locator('#left-out').innerText(), '2 names in @mentions left out.');
    assert.match(await page.locator('#live').innerText(), /^2 names found: Oslo, person; Rome, person\.$/);
    const { entities, backend } = JSON.parse(await copied('#copy-json'));
    assert.deepEqual(entities.map(({ text }) => text), ['Oslo', 'Rome']);
    assert.equal(backend, 'cpu');
    assert.equal(
      await copied('#copy-conll'),
      'in O\nOslo B-PER\nwith O\n@Jane, O\n@Someone O\nand O\n# O\nRome B-PER\n',
    );

    await page.reload();
    await enter(page, TWEET);
    assert.equal(await toggle(page).isChecked(), false);
    assert.deepEqual(await marked(page), ['Oslo', 'Rome']);
    await toggle(page).check();
    assert.deepEqual(await marked(page), ['Oslo', 'Jane', 'Someone', 'Rome']);
    await page.reload();
    await enter(page, TWEET);
    assert.equal(await toggle(page).isChecked(), true);
  }));

test('counts for what the image changed, and for both of two models', () =>
  visit(shared, { ...site, query: '?model=ham&compare=gates' }, async (page) => {
    // The stub makes a person of Jonas, a place without the image.
    await enter(page, 'with @Jonas in Oslo');
    await shows(page, 'answer-b');
    await hand(page, 'paste');
    await lookedAt(page);
    await page.locator('#difference-b > *').waitFor();
    for (const suffix of ['', '-b']) assert.match(await page.locator(`#difference${suffix} tbody`).innerText(), /^Jonas\tplace/);
    await toggle(page).uncheck();
    for (const suffix of ['', '-b']) {
      assert.match(await page.locator(`#difference${suffix}`).innerText(), /same names\. “Oslo” moved most/);
      assert.deepEqual(await page.locator(`#marked${suffix} mark`).allInnerTexts(), ['Oslo']);
      // A name that is chosen is the one that is meant, though others before it are left out.
      await page.locator(`#marked${suffix} a`).click();
    }
    assert.match(await page.locator('#looked').innerText(), /The words of “Oslo”/);
    assert.equal(await page.locator('#left-out').innerText(), '1 name in @mentions left out.');
  }));

test('of a tweet of nothing else it says that they are left out', () =>
  visit(shared, site, async (page) => {
    await enter(page, '@Jane and @Joe');
    await toggle(page).uncheck();
    await shows(page, 'none');
    assert.equal(await page.locator('#left-out').innerText(), '2 names in @mentions left out.');
  }));

for (const colorScheme of SCHEMES) {
  test(`can be turned with the keyboard alone, and breaks no accessibility rule (${colorScheme})`, () =>
    visit(shared, { ...site, context: { colorScheme, reducedMotion: 'reduce' } }, async (page) => {
      await enter(page, TWEET);
      await page.locator('#tweet').focus();
      const focused = () => page.evaluate(() => document.activeElement.id);
      for (let presses = 0; (await focused()) !== 'user-names'; presses++) {
        assert.ok(presses < 5, 'the switch comes soon after the field');
        await page.keyboard.press('Tab');
      }
      assert.deepEqual(await accessibilityViolations(page), []);
      await page.keyboard.press('Space');
      assert.equal(await toggle(page).isChecked(), false);
      assert.deepEqual(await marked(page), ['Oslo', 'Rome']);
      assert.equal(await focused(), 'user-names');
      assert.deepEqual(await accessibilityViolations(page), []);
    }));
}
