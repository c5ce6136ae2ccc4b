/** An image described by the compiled engines with the captioner that ships; the command line must say the same. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { env } from 'node:process';
import { test } from 'node:test';
import { missing, shipped } from './built.mjs';
import { BLANK, realBundle, visit, withBrowser } from './harness.mjs';

const CAPTIONER = new URL('../../www/models/caption/', import.meta.url).pathname;
const IMAGE = new URL('../../www/examples/football.webp', import.meta.url).pathname;
/** @type {Record<string, Buffer>} */
const captioner = Object.fromEntries(['manifest.json', 'caption.bpk'].map((name) => [name, readFileSync(CAPTIONER + name)]));

const shared = withBrowser({ webgpu: true });

for (const [backend, device] of /** @type {const} */ ([['cpu', 'cpu'], ['webgpu', 'gpu']])) {
  test(`an image is described as by the command line (${backend})`, { skip: missing(device) }, (t) =>
    visit(shared, { engine: 'built', bundle: realBundle(shipped().ita), captioner, query: BLANK }, async (page) => {
      const given = { backend, file: readFileSync(IMAGE).toString('base64') };
      const found = await page.evaluate(async ({ backend, file }) => {
        const { Recognizer } = await import('./mner.js');
        const mner = await Recognizer.load('models/test/', { backend, timeout: 300_000 });
        const image = Uint8Array.from(atob(file), (c) => c.charCodeAt(0));
        try {
          // The second time memory is warm. Kernels for a computed GPU take too long for that.
          if (backend === 'cpu') await mner.describeImage(image, { captioner: 'models/caption/' });
          return await mner.describeImage(image, { captioner: 'models/caption/' });
        } finally {
          mner.close();
        }
      }, given);
      t.diagnostic(`described in ${Math.round(found.timings.describe)} ms`);
      const args = ['image-text', '--bundle', shipped().ita, '--captioner', CAPTIONER, IMAGE];
      const { captions } = JSON.parse(execFileSync(env.MNER, args, { encoding: 'utf8' }));
      assert.equal(found.backend, backend);
      assert.equal(found.timings.look === 0, backend === 'cpu');
      assert.equal(found.caption.text, captions[0]);
      assert.ok(found.caption.confidence > 0 && found.caption.confidence <= 1);
    }));
}
