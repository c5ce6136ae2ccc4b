/** The service worker: the page without a connection, and one release after another. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { precache } from '../../web/precache.mjs';
import { enter, madeUpBundle, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const bundle = madeUpBundle();
const context = { serviceWorkers: 'allow' };

/** Cuts the connection when told to, and serves what it is given in place of the site's own files. */
function network() {
  const state = { down: false, changed: {} };
  state.intercept = (path, request, response) => {
    if (state.down) {
      response.destroy();
      return true;
    }
    const bytes = state.changed[path];
    if (!bytes) return false;
    response.writeHead(200, { 'content-type': path.endsWith('.js') ? 'text/javascript' : 'text/html' }).end(bytes);
    return true;
  };
  return state;
}

/** Waits until `holds`, in the page, comes to something true. Playwright's own waitForFunction takes a promise for that. */
async function until(page, holds, argument) {
  for (const end = Date.now() + 30_000; !(await page.evaluate(holds, argument)); await sleep(50)) {
    assert.ok(Date.now() < end, `not true in 30 seconds: ${holds}`);
  }
}

/** What a list of files, as `precache` writes it, says. */
function listed(list) {
  return JSON.parse(list.slice('self.PRECACHE = '.length, -2));
}

/** Waits until every file of the release and of the engine, and the lists of models, are kept. */
async function kept(page, models = 1) {
  await page.evaluate(() => navigator.serviceWorker.ready);
  const release = listed(await page.evaluate(async () => (await fetch('pkg/precache.js')).text()));
  const wanted = Object.keys({ ...release.page, ...release.engines.cpu });
  const holds = async ({ version, wanted, models }) => {
    const paths = (await (await caches.open(`mner-page-${version}`)).keys()).map(({ url }) => url.split('/some/path/')[1] || './');
    const lists = await (await caches.open('mner-lists')).keys();
    return wanted.every((path) => paths.includes(path)) && lists.length === 1 + models;
  };
  await until(page, holds, { version: release.version, wanted, models });
}

test('works without a connection after the first visit, and says so', async () => {
  const line = network();
  await visit(shared, { bundle, context, intercept: line.intercept }, async (page, { requests }) => {
    await enter(page, 'In Oslo');
    await kept(page);
    line.down = true;
    requests.length = 0;
    await page.reload();
    await enter(page, 'In Rome');
    assert.deepEqual(await page.locator('#marked mark').allInnerTexts(), ['In', 'Rome']);
    await page.locator('#examples button').first().click();
    await page.locator('#picture').waitFor();
    // What is asked of the server all the same: whether the list of models or the worker changed.
    assert.deepEqual(requests.filter((path) => !/^models\/(index|test\/manifest)\.json$|^sw\.js$/.test(path)), []);
    // The browser tells the page about the connection, not about our server.
    await page.context().setOffline(true);
    await page.getByText('You are offline').waitFor();
    await page.context().setOffline(false);
    await shows(page, 'answer');
    assert.equal(await page.locator('#notice').isVisible(), false);
  });
});

test('also opens by its links without a connection', async () => {
  const line = network();
  await visit(shared, { bundle, context, intercept: line.intercept }, async (page, { url }) => {
    await enter(page, 'In Oslo');
    await kept(page);
    line.down = true;
    for (const link of ['?model=test', 'index.html', 'example.html']) await page.goto(url + link);
    await page.getByText('Ready').waitFor();
  });
});

test('without a connection, a model that is not here is fetched when the connection is back', async () => {
  const line = network();
  await visit(shared, { models: { test: bundle, other: madeUpBundle({ bytes: 100_000 }) }, context, intercept: line.intercept }, async (page) => {
    await shows(page, 'empty');
    await kept(page, 2);
    line.down = true;
    await page.context().setOffline(true);
    await page.locator('#model-choice').selectOption('other');
    await shows(page, 'failure');
    assert.match(await page.locator('#failure').innerText(), /You are offline[^]*not on your device yet/);
    line.down = false;
    await page.context().setOffline(false);
    await shows(page, 'empty');
  });
});

test('a new release waits until it is let in, and then replaces the old one whole', async () => {
  const line = network();
  await visit(shared, { bundle, context, intercept: line.intercept }, async (page, { release }) => {
    await enter(page, 'In Oslo');
    await kept(page);
    const releases = () => page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith('mner-page-')));
    const [before] = await releases();
    const changed = readFileSync(new URL('../../www/index.html', import.meta.url), 'utf8').replace('Your tweet', 'The new tweet');
    // Half a release is none.
    line.changed['pkg/precache.js'] = precache([...release(), ['index.html', Buffer.from(changed)]]);
    await page.reload();
    await shows(page, 'empty');
    await page.evaluate(async () => (await navigator.serviceWorker.ready).update().catch(() => {}));
    await until(page, async () => !(await navigator.serviceWorker.getRegistration()).installing);
    assert.equal(await page.getByText('The new tweet').count(), 0);
    assert.equal(await page.locator('#notice').isVisible(), false);
    // The whole of it waits for a word.
    line.changed['index.html'] = line.changed[''] = Buffer.from(changed);
    await page.reload();
    await page.getByText('A new release').waitFor();
    // Chromium may not let go of an old worker that is busy when asked and that a debugger, as here, is attached to.
    await shows(page, 'empty');
    await page.waitForLoadState('networkidle');
    assert.equal(await page.getByText('The new tweet').count(), 0);
    const reloaded = page.waitForEvent('load');
    await page.getByRole('button', { name: 'Reload' }).click();
    await reloaded;
    await page.getByText('The new tweet').waitFor();
    await shows(page, 'empty');
    const after = await releases();
    assert.equal(after.length, 1);
    assert.notEqual(after[0], before);
  });
});

test('the page says what it needs to be installed', () =>
  visit(shared, { bundle }, async (page, { url }) => {
    const manifest = await (await fetch(new URL(await page.locator('link[rel=manifest]').getAttribute('href'), url))).json();
    assert.equal(new URL(manifest.start_url, url).href, url);
    for (const { src, sizes, type } of manifest.icons) {
      const response = await fetch(new URL(src, url));
      assert.equal(response.headers.get('content-type'), type);
      if (type === 'image/png') assert.equal(Buffer.from(await response.arrayBuffer()).readUInt32BE(16), Number(sizes.split('x')[0]));
    }
  }));

test('the list of files has a version that follows their content', () => {
  const of = (...files) => precache(files.map(([path, text]) => [path, Buffer.from(text)]));
  const list = of(['index.html', 'a'], ['pkg/cpu/x.wasm', 'b'], ['models/m/weights.bpk', 'c'], ['pkg/cpu/x.wasm.br', 'd'], ['sw.js', 'e']);
  assert.equal(list, of(['pkg/cpu/x.wasm', 'b'], ['index.html', 'a'], ['models/m/weights.bpk', 'other']));
  assert.notEqual(list, of(['pkg/cpu/x.wasm', 'b'], ['index.html', 'A']));
  const { page, engines } = listed(list);
  assert.deepEqual([Object.keys(page), Object.keys(engines.cpu)], [['./'], ['pkg/cpu/x.wasm']]);
});
