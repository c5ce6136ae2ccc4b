/** The text in an image, read by the compiled engines with the reader that ships; the command line must read the same. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { env } from 'node:process';
import { test } from 'node:test';
import { missing, shipped } from './built.mjs';
import { BLANK, realBundle, visit, withBrowser } from './harness.mjs';

const OCR = new URL('../../www/models/ocr/', import.meta.url).pathname;
const POSTER = new URL('../ocr/poster.png', import.meta.url).pathname;
/** @type {Record<string, Buffer>} */
const ocr = Object.fromEntries(['manifest.json', 'ocr.bpk'].map((name) => [name, readFileSync(OCR + name)]));

const shared = withBrowser({ webgpu: true });

for (const [backend, device] of /** @type {const} */ ([['cpu', 'cpu'], ['webgpu', 'gpu']])) {
  test(`a poster is read as by the command line, and its names are found (${backend})`, { skip: missing(device) }, (t) =>
    visit(shared, { engine: 'built', bundle: realBundle(shipped().text), ocr, query: BLANK }, async (page) => {
      const given = { backend, poster: readFileSync(POSTER).toString('base64') };
      const found = await page.evaluate(async ({ backend, poster }) => {
        const { Recognizer } = await import('./mner.js');
        const mner = await Recognizer.load('models/test/', { backend, timeout: 300_000 });
        const image = Uint8Array.from(atob(poster), (c) => c.charCodeAt(0));
        try {
          // The second time memory is warm. Kernels for a computed GPU take too long for that.
          if (backend === 'cpu') await mner.readImage(image, { ocr: 'models/ocr/' });
          return await mner.readImage(image, { ocr: 'models/ocr/' });
        } finally {
          mner.close();
        }
      }, given);
      t.diagnostic(`read in ${Math.round(found.timings.read)} ms`);
      const args = ['ocr', '--ocr', OCR, '--bundle', shipped().text, POSTER];
      const expected = JSON.parse(execFileSync(env.MNER, args, { encoding: 'utf8' }));
      assert.equal(found.backend, backend);
      assert.deepEqual(found.lines.map(({ text }) => text), expected.lines.map(({ text }) => text));
      found.lines.forEach(({ bounds, confidence }, i) => {
        bounds.forEach((at, side) => assert.ok(Math.abs(at - expected.lines[i].bounds[side]) < 1, `line ${i}`));
        assert.ok(Math.abs(confidence - expected.lines[i].confidence) < 0.01);
      });
      const named = ({ type, text, utf16 }) => ({ type, text, utf16 });
      assert.deepEqual(found.entities.map(named), expected.entities.map(named));
      assert.ok(found.entities.length >= 2);
    }));
}
