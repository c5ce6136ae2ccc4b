/**
 * Draws the page's images from drawings/ and its icons from www/icon.svg: `node web/draw.mjs`.
 * Needs Chromium and the packages of tests/browser; what it draws is checked in.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { env } from 'node:process';

const { chromium } = createRequire(new URL('../tests/browser/package.json', import.meta.url))('playwright-core');
const at = (path) => new URL(`../${path}`, import.meta.url);

const browser = await chromium.launch({ executablePath: env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage();

/** An SVG as the bytes of an image. */
async function draw(svg, type, width, height) {
  const url = await page.evaluate(
    async ([svg, type, width, height]) => {
      const image = new Image();
      image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width, height });
      canvas.getContext('2d').drawImage(image, 0, 0, width, height);
      return canvas.toDataURL(type, 0.72);
    },
    [svg, type, width, height],
  );
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}

const jobs = readdirSync(at('web/drawings'))
  .filter((name) => name.endsWith('.svg'))
  .map((name) => [`web/drawings/${name}`, `www/examples/${basename(name, '.svg')}.webp`, 'image/webp', 576, 360]);
for (const side of [192, 512]) jobs.push(['www/icon.svg', `www/icon-${side}.png`, 'image/png', side, side]);

for (const [from, to, ...how] of jobs) {
  const bytes = await draw(readFileSync(at(from), 'utf8'), ...how);
  writeFileSync(at(to), bytes);
  console.log(`${to}: ${bytes.length} bytes`);
}
await browser.close();
