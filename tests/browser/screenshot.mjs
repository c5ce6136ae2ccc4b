/**
 * Takes an image of the page at work, with the engine and the models that are in www/:
 * `node screenshot.mjs OUT.png [EXAMPLE] [QUERY]`, for instance `node screenshot.mjs page.png Football '?model=ham'`.
 * The example's first name is chosen, so that one sees where it looked.
 */
import { argv, env, exit } from 'node:process';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { serve } from './serve.mjs';

const [, , out, example = 'Football', query = ''] = argv;
if (!out) {
  console.error('Usage: node screenshot.mjs OUT.png [EXAMPLE] [QUERY]');
  exit(2);
}

const site = await serve({ root: fileURLToPath(new URL('../../www/', import.meta.url)) });
const browser = await chromium.launch({ executablePath: env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, deviceScaleFactor: 2 });
  await page.goto(site.url + query);
  await page.getByRole('button', { name: example, exact: true }).click();
  await page.locator('#answer:not([hidden])').waitFor({ timeout: 300_000 });
  await page.locator('#frame:not(.looking)').waitFor({ state: 'attached', timeout: 300_000 });
  // A model that reads no images shows none and has nothing to say of one.
  if (await page.locator('#contribution').isVisible()) await page.locator('#difference > *').waitFor({ timeout: 300_000 });
  if (await page.locator('#marked a').count()) await page.locator('#marked a').first().click();
  await page.evaluate(() => {
    /** @type {HTMLElement} */ (document.activeElement).blur();
    scrollTo(0, 0);
  });
  await page.screenshot({ path: out, animations: 'disabled' });
} finally {
  await browser.close();
  await site.close();
}
