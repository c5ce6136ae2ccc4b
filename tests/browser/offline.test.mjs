/** The service worker: the page without a connection, and one release after another. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { precache } from '../../web/precache.mjs';
import { BLANK, enter, hand, madeUpBundle, madeUpOcr, saying, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const bundle = madeUpBundle();
/** @type {import('playwright-core').BrowserContextOptions} */
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
    const { scope } = await navigator.serviceWorker.ready;
    const paths = (await (await caches.open(`mner-page ${scope} ${version}`)).keys()).map(({ url }) => url.slice(scope.length) || './');
    const lists = await (await caches.open(`mner-lists ${scope}`)).keys();
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
    await page.locator('#images').waitFor();
    // What is asked of the server all the same: whether the list of models or the worker changed, or it reads images now.
    assert.deepEqual(requests.filter((path) => !/^models\/(index|(test|ocr)\/manifest)\.json$|^sw\.js$/.test(path)), []);
    // The browser tells the page about the connection, not about our server.
    await page.context().setOffline(true);
    await page.getByText('You are offline').waitFor();
    await page.context().setOffline(false);
    await shows(page, 'answer');
    assert.equal(await page.locator('#notice').isVisible(), false);
  });
});

test('reads the text in images without a connection, once it has', async () => {
  const line = network();
  await visit(shared, { bundle, ocr: madeUpOcr(), context, intercept: line.intercept }, async (page) => {
    await enter(page, 'In Oslo');
    await kept(page);
    const read = async () => {
      await hand(page, 'drop', saying('In Rome'));
      await page.locator('.offer button').click();
      await page.getByText('In Rome').waitFor();
    };
    await read();
    await until(page, async () => {
      const lists = await caches.open(`mner-lists ${(await navigator.serviceWorker.ready).scope}`);
      return (await lists.keys()).some(({ url }) => url.endsWith('models/ocr/manifest.json'));
    });
    line.down = true;
    await page.reload();
    await enter(page, 'In Oslo');
    await read();
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
    const releases = () => page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith('mner-page ')));
    const [before] = await releases();
    const changed = readFileSync(new URL('../../www/index.html', import.meta.url), 'utf8').replace('CC0', 'The new tweet');
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

test('sites of one origin, also one below another, keep their releases side by side', async () => {
  const line = network();
  const prefix = ['/a/', '/b/', '/a/b/'];
  const index = readFileSync(new URL('../../www/index.html', import.meta.url), 'utf8');
  /** Of the sites by their paths: how their tweet is called. */
  const titles = { '/a/': 'Tweet of a', '/b/': 'Tweet of b', '/a/b/': 'Tweet below a' };
  let release;
  const intercept = (path, request, response) => {
    if (line.intercept(path, request, response)) return true;
    const own = Buffer.from(index.replace('CC0', titles[request.url.slice(0, request.url.length - path.length)]));
    if (path !== '' && path !== 'pkg/precache.js') return false;
    const bytes = path === '' ? own : precache([...release(), ['index.html', own]]);
    response.writeHead(200, { 'content-type': path === '' ? 'text/html' : 'text/javascript' }).end(bytes);
    return true;
  };
  await visit(shared, { bundle, context, prefix, intercept, query: BLANK }, async (page, site) => {
    release = site.release;
    for (const path of prefix) {
      await page.goto(new URL(path, site.url).href);
      await enter(page, 'In Oslo');
      await kept(page);
    }
    // A new release of the outermost replaces its own only.
    const names = () => page.evaluate(() => caches.keys());
    const before = await names();
    titles['/a/'] = 'New tweet of a';
    await page.goto(new URL('/a/', site.url).href);
    await page.getByText('A new release').waitFor();
    const reloaded = page.waitForEvent('load');
    await page.getByRole('button', { name: 'Reload' }).click();
    await reloaded;
    await enter(page, 'In Oslo');
    await kept(page);
    const after = await names();
    const [gone, come] = [before.filter((name) => !after.includes(name)), after.filter((name) => !before.includes(name))];
    assert.deepEqual([gone.length, come.length], [1, 1]);
    for (const [name] of [gone, come]) assert.ok(name.startsWith(`mner-page ${new URL('/a/', site.url)} `), name);
    line.down = true;
    for (const path of prefix) {
      await page.goto(new URL(path, site.url).href);
      await page.getByText(titles[path]).waitFor();
      await enter(page, 'In Rome');
    }
  });
});

test('of caches that sites had in common, only what is one’s own is taken away, and its lists stay known', () =>
  visit(shared, { bundle, context, prefix: ['/a/', '/b/', '/a/b/'], query: BLANK }, async (page, { url }) => {
    const own = 'mner-page-0000000000000000';
    const shared = 'mner-page-0123456789abcdef';
    const other = 'mner-page-fedcba9876543210';
    const given = {
      [own]: ['/a/', '/a/app.js'],
      [shared]: ['/a/', '/a/app.js', '/a/b/', '/a/b/app.js'],
      [other]: ['/b/', '/b/app.js'],
      'mner-lists': ['/a/models/index.json', '/b/models/index.json', '/a/b/models/index.json'],
      else: ['/a/'],
    };
    await page.evaluate(async (given) => {
      for (const [name, paths] of Object.entries(given)) {
        for (const path of paths) await (await caches.open(name)).put(path, new Response(path));
      }
    }, given);
    await page.goto(url);
    await enter(page, 'In Oslo');
    await kept(page);
    const now = await page.evaluate(async () => {
      const all = {};
      for (const name of await caches.keys()) {
        all[name] = (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname);
      }
      return all;
    });
    const { [own]: taken, [shared]: left, [other]: whole, 'mner-lists': lists, else: foreign } = now;
    assert.deepEqual([taken, left, whole, lists, foreign], [
      undefined,
      ['/a/b/', '/a/b/app.js'],
      given[other],
      ['/b/models/index.json', '/a/b/models/index.json'],
      given.else,
    ]);
    assert.ok(now[`mner-lists ${url}`].includes('/a/models/index.json'));
  }));

test('works on where the browser stops keeping anything', async () => {
  // The service worker of a browser that keeps the release and then refuses.
  const spoil = `let blocked = false;
    addEventListener('message', () => { blocked = true; });
    for (const [owner, name] of [[CacheStorage, 'open'], [Cache, 'match'], [Cache, 'put']]) {
      const allowed = owner.prototype[name];
      owner.prototype[name] = function (...given) {
        return blocked ? Promise.reject(new DOMException('blocked', 'SecurityError')) : allowed.apply(this, given);
      };
    }
    `;
  const worker = spoil + readFileSync(new URL('../../www/sw.js', import.meta.url), 'utf8');
  const intercept = (path, request, response) => {
    if (path !== 'sw.js') return false;
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(worker);
    return true;
  };
  await visit(shared, { bundle, context, intercept }, async (page, { requests }) => {
    await enter(page, 'In Oslo');
    await page.evaluate(async () => (await navigator.serviceWorker.ready).active.postMessage({ op: 'block' }));
    await until(page, () => Boolean(navigator.serviceWorker.controller));
    requests.length = 0;
    await page.reload();
    await enter(page, 'In Rome');
    assert.ok(requests.includes('app.js') && requests.includes('models/index.json'));
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
