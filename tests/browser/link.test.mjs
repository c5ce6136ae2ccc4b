/** Links that hold a tweet in their fragment. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, hand, lookedAt, madeUpModels, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const site = { models: madeUpModels() };
const TWEET = '100% C++ & “Zoë” #Oslo?\nlike 👩🏽‍🚀 = done/%20';
const field = (page) => page.locator('#tweet').inputValue();
const filled = (page, text) => page.waitForFunction((text) => document.querySelector('textarea').value === text, text);

test('the tweet in a link is read, and no server is told of it', () => {
  const told = [];
  const intercept = (path, request) => {
    told.push(request.url, ...Object.values(request.headers));
    return false;
  };
  return visit(shared, { ...site, intercept, query: `#text=${encodeURIComponent(TWEET)}` }, async (page, { url }) => {
    await page.reload();
    await page.locator('#marked a').first().waitFor();
    assert.equal(await field(page), TWEET);
    assert.equal(await page.locator('#marked').textContent(), TWEET);
    assert.ok(told.length > 20);
    for (const one of told) assert.doesNotMatch(String(one), /#|text=|Oslo/);
    assert.ok(page.url().startsWith(`${url}#text=`));
    // Edited, it is no longer what the address says.
    await page.locator('#tweet').fill('In Rome');
    await page.waitForFunction(() => location.hash === '');
    // The same link again, and another.
    for (const text of [TWEET, 'In Paris']) {
      await page.evaluate((text) => (location.hash = `#text=${encodeURIComponent(text)}`), text);
      await filled(page, text);
    }
    await page.evaluate(() => (location.hash = '#names-0'));
    assert.equal(await field(page), 'In Paris');
  });
});

test('a link takes the place of the tweet and its images, which the visit keeps', () =>
  visit(shared, { models: { ham: site.models.ham }, context: { permissions: ['clipboard-write'] } }, async (page) => {
    await enter(page, 'In Oslo');
    await hand(page, 'drop');
    await lookedAt(page);
    await page.getByRole('button', { name: 'Copy a link' }).click();
    await page.getByText('The link holds the words of the tweet, not its pictures.').waitFor();
    await page.evaluate(() => (location.hash = '#text=In%20Rome'));
    await filled(page, 'In Rome');
    await page.locator('#images').waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: /^In Oslo.*1 picture$/ }).click();
    await page.locator('#images').waitFor();
    assert.equal(await field(page), 'In Oslo');
  }));

test('the link that is copied opens the tweet, and the model stays chosen', () =>
  visit(shared, { ...site, query: '?model=plain', context: { permissions: ['clipboard-read', 'clipboard-write'] } }, async (page, { url }) => {
    await shows(page, 'empty');
    assert.equal(await page.locator('#copy-link').isVisible(), false);
    for (const text of [TWEET, 'half a \ud83d character']) {
      await page.locator('#tweet').fill(text);
      await page.getByRole('button', { name: 'Copy a link' }).click();
      await page.locator('#copy-link', { hasText: 'Copied' }).waitFor();
      const link = await page.evaluate(() => navigator.clipboard.readText());
      assert.ok(link.startsWith(`${url}?model=plain#text=`) && !/[\s“]/.test(link), link);
      await page.goto('about:blank');
      await page.goto(link);
      await filled(page, text.toWellFormed());
      await shows(page, 'answer');
    }
  }));

test('what is too long for a link, and a link that is damaged, is told', () =>
  visit(shared, { ...site, query: '#text=In%20Oslo%E0%A4%A' }, async (page) => {
    const problem = (words) => page.locator('#image-problem', { hasText: words }).waitFor();
    await problem('The link to this page is damaged');
    assert.equal(await field(page), '');
    await enter(page, 'Oslo '.repeat(2000));
    await page.locator('#copy-link').click();
    await problem(/^This makes a link of 14,\d+ characters, and many programs cut links of more than 8,000/);
    await page.evaluate(() => (location.hash = `#text=${'a'.repeat(8000)}`));
    await problem(/^This makes a link of 8,006 characters/);
    assert.match(await field(page), /^Oslo/);
  }));
