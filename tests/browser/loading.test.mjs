/** From opening the page to a model that is ready, and every way that can go wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessibilityViolations, enter, madeUpBundle, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const bundle = madeUpBundle();
const WEIGHTS = 'models/test/weights.bpk';

test('says so when no model is installed', () =>
  visit(shared, {}, async (page) => {
    await shows(page, 'no-model');
    assert.match(await page.locator('#no-model').innerText(), /mner train/);
    assert.deepEqual(await accessibilityViolations(page), []);
  }));

test('loads the model, keeps what was typed meanwhile and says what runs', () =>
  visit(shared, { bundle }, async (page) => {
    await enter(page, 'typed before Anything was ready');
    assert.match(await page.locator('#run').innerText(), /omputed on the CPU\. .*Model: test · 0\.2 MB\.$/);
  }));

test('asks no other server for anything', () =>
  visit(shared, { bundle }, async (page) => {
    const hosts = new Set();
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    await page.reload();
    await enter(page, 'Anything');
    assert.deepEqual([...hosts], [new URL(page.url()).host]);
  }));

test('counts every byte, and stops when told to', async () => {
  let closed;
  const ended = new Promise((done) => (closed = done));
  const half = bundle['weights.bpk'].length / 2;
  const intercept = (path, request, response) => {
    if (path !== WEIGHTS) return false;
    response.writeHead(200).write(bundle['weights.bpk'].subarray(0, half));
    request.on('close', closed);
    return true;
  };
  await visit(shared, { bundle, intercept }, async (page) => {
    const total = bundle['weights.bpk'].length + bundle['tokenizer.json'].length + 8;
    await page.waitForFunction((share) => /** @type {HTMLProgressElement} */ (document.querySelector('#progress'))?.value === share, (total - half) / total);
    assert.equal(await page.locator('#loading p').first().innerText(), 'Fetching the model\n0.1 of 0.2 MB');
    assert.deepEqual(await accessibilityViolations(page), []);
    await page.locator('#cancel').click();
    await shows(page, 'failure');
    assert.equal(await page.locator('#failure-title').innerText(), 'Stopped.');
    await ended;
  });
});

test('takes a broken download up where it broke', async () => {
  const ranges = [];
  const whole = bundle['weights.bpk'];
  const intercept = (path, request, response) => {
    if (path !== WEIGHTS) return false;
    ranges.push(request.headers.range);
    const from = Number(/\d+/.exec(request.headers.range ?? '0')[0]);
    response.writeHead(from ? 206 : 200, { 'content-length': whole.length - from });
    if (from) response.end(whole.subarray(from));
    else response.write(whole.subarray(0, 70_000), () => setTimeout(() => response.destroy(), 100));
    return true;
  };
  await visit(shared, { bundle, intercept }, async (page) => {
    await shows(page, 'empty');
    assert.deepEqual(ranges, [undefined, 'bytes=70000-']);
  });
});

test('names the file that ends early', async () => {
  const intercept = (path, request, response) => {
    if (path !== WEIGHTS) return false;
    if (request.headers.range) response.writeHead(416).end();
    else response.writeHead(200, { 'content-length': 1000 }).end(bundle['weights.bpk'].subarray(0, 1000));
    return true;
  };
  await visit(shared, { bundle, intercept }, async (page) => {
    await shows(page, 'failure');
    assert.match(await page.locator('#failure-text').innerText(), /weights\.bpk ended after 1000 of 200000 bytes/);
    assert.deepEqual(await accessibilityViolations(page), []);
  });
});

test('names the file that is missing, and tries again', async () => {
  let missing = true;
  const intercept = (path, request, response) => {
    if (path !== WEIGHTS || !missing) return false;
    response.writeHead(404).end();
    return true;
  };
  await visit(shared, { bundle, intercept }, async (page) => {
    await shows(page, 'failure');
    assert.match(await page.locator('#failure-text').innerText(), /no file at http.*weights\.bpk/);
    missing = false;
    await page.locator('#retry').click();
    await enter(page, 'Back again');
  });
});

test('refuses weights that are not the ones the manifest names, and does not keep them', async () => {
  const spoiled = { ...bundle, 'weights.bpk': Buffer.from(bundle['weights.bpk']).fill(0, 1000, 1010) };
  await visit(shared, { bundle: spoiled }, async (page, { requests }) => {
    await shows(page, 'failure');
    assert.match(await page.locator('#failure-text').innerText(), /weights: not the file/);
    await page.locator('#retry').click();
    await page.waitForFunction(() => document.querySelector('#loading').matches('[hidden]'));
    assert.equal(requests.filter((path) => path === WEIGHTS).length, 2);
  });
});

test('takes the model from the cache at the second visit', () =>
  visit(shared, { bundle }, async (page, { requests }) => {
    await shows(page, 'empty');
    await page.reload();
    await shows(page, 'empty');
    assert.equal(requests.filter((path) => path === WEIGHTS).length, 1);
  }));

test('works where the cache is full', () =>
  visit(shared, { bundle, query: '?model=none' }, async (page) => {
    // The Worker is another world: its cache is spoiled through the script it runs.
    await page.route('**/worker.js', async (route) => {
      const response = await route.fetch();
      const spoil = "Cache.prototype.put = async () => { throw new DOMException('full', 'QuotaExceededError') };\n";
      await route.fulfill({ response, body: spoil + (await response.text()) });
    });
    await page.goto(page.url().replace('?model=none', ''));
    await enter(page, 'Still works');
  }));

test('says what to do when the engine is not built', () =>
  visit(shared, { bundle, intercept: gone('pkg/sizes.json') }, async (page) => {
    await shows(page, 'failure');
    assert.match(await page.locator('#failure-text').innerText(), /build\.sh build/);
  }));

test('says what is wrong with a backend that does not exist', () =>
  visit(shared, { bundle, query: '?backend=abacus' }, async (page) => {
    await shows(page, 'failure');
    assert.match(await page.locator('#failure-text').innerText(), /abacus/);
  }));

function gone(wanted) {
  return (path, request, response) => {
    if (path !== wanted) return false;
    response.writeHead(404).end();
    return true;
  };
}
