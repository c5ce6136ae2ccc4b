/** Browsers that keep nothing for a page, and the page without a server. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { enter, inWorkers, madeUpModels, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const site = { models: { ham: madeUpModels().ham } };

/** Makes every way to keep something throw at its first touch, as browsers do whose user blocks storage. */
const BLOCKED = `
  for (const [owner, name] of [[globalThis, 'caches'], [globalThis, 'localStorage'], [globalThis, 'sessionStorage'],
    [globalThis, 'indexedDB'], [navigator, 'serviceWorker'], [navigator, 'storage']]) {
    Object.defineProperty(owner, name, { get() { throw new DOMException(name + ' is blocked', 'SecurityError'); } });
  }`;
/** The same of browsers that hand things out which then refuse. */
const REFUSING = `
  const refuse = () => Promise.reject(new DOMException('refused', 'SecurityError'));
  for (const name of ['open', 'match', 'keys', 'delete', 'has']) CacheStorage.prototype[name] = refuse;
  LockManager.prototype.request = refuse;
  if (globalThis.Storage) for (const name of ['getItem', 'setItem', 'removeItem']) {
    Storage.prototype[name] = () => { throw new DOMException('refused', 'QuotaExceededError'); };
  }
  if (globalThis.ServiceWorkerContainer) ServiceWorkerContainer.prototype.register = refuse;`;

for (const [how, script] of Object.entries({
  blocks: BLOCKED,
  refuses: REFUSING,
  'has no locks': `Object.defineProperty(navigator, 'locks', { value: undefined })`,
  'throws at its locks': `Object.defineProperty(navigator, 'locks', { get() { throw new DOMException('locks are blocked', 'SecurityError'); } })`,
})) {
  test(`works in a browser that ${how}, without keeping anything`, () =>
    visit(shared, { ...site, query: 'icon.svg', context: { serviceWorkers: 'allow' } }, async (page, { url }) => {
      const failed = [];
      page.on('pageerror', (error) => failed.push(error.message));
      await page.addInitScript(script);
      await inWorkers(page, script);
      await page.goto(url);
      await enter(page, 'in Oslo with @Someone');
      assert.deepEqual(await page.locator('#marked mark').allInnerTexts(), ['Oslo', 'Someone']);
      // A choice holds as long as the page.
      await page.getByLabel('Names in @mentions').uncheck();
      assert.deepEqual(await page.locator('#marked mark').allInnerTexts(), ['Oslo']);
      await page.locator('#examples button').first().click();
      await page.locator('#contribution:not([hidden])').waitFor();
      assert.deepEqual(failed, []);
    }));
}

test('a clipboard that is not there is told', () =>
  visit(shared, { ...site, query: 'icon.svg' }, async (page, { url }) => {
    await page.addInitScript(`Object.defineProperty(navigator, 'clipboard', { value: undefined })`);
    await page.goto(url);
    await enter(page, 'in Oslo');
    await page.locator('#copy-json').click();
    await page.locator('#copy-json', { hasText: 'Not allowed' }).waitFor();
  }));

for (const file of ['index.html', 'example.html']) {
  test(`${file} that is opened as a file says how to serve it`, async () => {
    const page = await shared.browser.newPage();
    try {
      await page.goto(new URL(`../../www/${file}`, import.meta.url).href);
      const said = page.getByText('This page was opened as a file');
      await said.waitFor();
      assert.match(await said.innerText(), /Serve it: run \.\/build\.sh serve .* or python3 -m http\.server .* open the address/);
      assert.equal(await page.locator('textarea, button, input').first().isVisible(), file === 'example.html');
    } finally {
      await page.close();
    }
  });
}

test('served, the page says nothing of that', () =>
  visit(shared, site, async (page) => {
    await shows(page, 'empty');
    assert.equal(await page.locator('#notice').isVisible(), false);
    assert.match(readFileSync(new URL('../../www/index.html', import.meta.url), 'utf8'), /unserved\.js/);
  }));
