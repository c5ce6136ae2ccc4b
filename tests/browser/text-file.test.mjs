/** Text files: opened, and dropped into the field. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, example, hand, lookedAt, madeUpModels, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const site = { models: { ham: madeUpModels().ham } };
const TWEET = '👩🏽‍🚀 Zoë saw Oslo\nand Rome';
const problem = (page) => page.locator('#image-problem').innerText();
const text = (page) => page.locator('#tweet').inputValue();

const utf16 = (big) => {
  const bytes = Buffer.from(`\ufeff${TWEET}`, 'utf16le');
  return big ? bytes.swap16() : bytes;
};
/** @type {[string, {name: string, type: string, bytes: Buffer}, string?][]} */
const READ = [
  ['UTF-8', { name: 'tweet.txt', type: 'text/plain', bytes: Buffer.from(TWEET) }],
  ['UTF-8 with a mark', { name: 'tweet.txt', type: 'text/plain', bytes: Buffer.from(`\ufeff${TWEET}`) }],
  ['UTF-16, low bytes first', { name: 'tweet.txt', type: 'text/plain', bytes: utf16(false) }],
  ['UTF-16, high bytes first', { name: 'tweet.txt', type: 'text/plain', bytes: utf16(true) }],
  ['a file without a type', { name: 'tweet', type: '', bytes: Buffer.from(TWEET) }],
  ['a file whose first 256 bytes end in a character', { name: 'tweet', type: '', bytes: Buffer.from(`${'a'.repeat(255)}👩 Oslo`) }, `${'a'.repeat(255)}👩 Oslo`],
  ['a text that begins as a BMP file does', { name: 'cars.txt', type: 'text/plain', bytes: Buffer.from('BMW in Oslo') }, 'BMW in Oslo'],
];
test('a text file that is dropped is in the field', () =>
  visit(shared, site, async (page) => {
    await shows(page, 'empty');
    for (const [what, file, wanted = TWEET] of READ) {
      await page.locator('#tweet').fill('');
      await hand(page, 'drop', file);
      await page.waitForFunction((wanted) => document.querySelector('textarea').value === wanted, wanted, { timeout: 5000 }).catch(() => assert.fail(what));
      assert.equal(await page.locator('#image-problem').isVisible(), false, what);
    }
    await page.locator('#marked a').first().waitFor();
  }));

test('a text file can be opened with the keyboard alone', () =>
  visit(shared, site, async (page) => {
    const chooser = page.waitForEvent('filechooser');
    await shows(page, 'empty');
    await page.getByRole('button', { name: 'Open a text file' }).focus();
    await page.keyboard.press('Enter');
    await (await chooser).setFiles({ name: 'mine.txt', mimeType: 'text/plain', buffer: Buffer.from('in Oslo') });
    await page.locator('#marked a').waitFor();
    assert.equal(await text(page), 'in Oslo');
  }));

test('a text and an image can be dropped together', () =>
  visit(shared, site, async (page) => {
    await shows(page, 'empty');
    await hand(page, 'drop', { name: 'tweet.txt', type: 'text/plain', bytes: Buffer.from('in Oslo') }, { bytes: example('desert') });
    await lookedAt(page);
    assert.equal(await text(page), 'in Oslo');
  }));

test('what cannot be read is refused in words, and what was typed stays', () =>
  visit(shared, site, async (page) => {
    await enter(page, 'In Oslo');
    const of = (bytes, name = 'a.txt') => ({ name, type: 'text/plain', bytes: Buffer.from(bytes) });
    /** @type {[{name: string, type: string, bytes: Buffer}[], RegExp][]} */
    const cases = [
      [[of([0x5a, 0x6f, 0xeb])], /^a\.txt is no text in UTF-8\. Save it/],
      [[of('a\0b')], /^a\.txt is no text/],
      [[of(' \n')], /^a\.txt has no text in it/],
      [[of(Buffer.alloc(4_000_001, 'a'))], /^a\.txt is too large: text files of up to 4 MB/],
      [[of('one'), of('two', 'b.txt')], /^Only one text file/],
      [[of(example('rocket'))], /^a\.txt is no text/],
    ];
    for (const [files, words] of cases) {
      await hand(page, 'drop', ...files);
      await page.locator('#image-problem', { hasText: words }).waitFor();
      assert.match(await problem(page), words);
      assert.equal(await text(page), 'In Oslo');
      await page.locator('#image-problem').evaluate((node) => (node.textContent = ''));
    }
  }));
