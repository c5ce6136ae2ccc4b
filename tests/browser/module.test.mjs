/** The module in all the places a page may put it, and its patience with the Worker: on the stub engine. */
import assert from 'node:assert/strict';
import { kill } from 'node:process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BLANK, madeUpBundle, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const bundle = madeUpBundle();
const WASM = 'pkg/cpu/mner_web_bg.wasm';

/** Imports the module at `from`, loads a model and reads a tweet; gives the names, or the error's code and words. */
function read(page, { from = 'mner.js', model = 'models/test/', options = {}, text = 'in Oslo' } = {}) {
  return page.evaluate(
    async ([from, model, options, text]) => {
      const root = new URL('.', location.href);
      try {
        const { Recognizer } = await import(new URL(from, root).href);
        const mner = await Recognizer.load(new URL(model, root), { backend: 'cpu', ...options });
        const { entities } = await mner.recognize({ text });
        mner.close();
        return { names: entities.map((entity) => entity.text) };
      } catch (error) {
        return { name: error.name, code: error.code, message: error.message };
      }
    },
    [from, model, options, text],
  );
}

test('a query is kept on every file of a bundle, and what is cached does not depend on it', () =>
  visit(shared, { bundle, query: BLANK }, async (page, { requests }) => {
    const asked = [];
    page.on('request', (request) => asked.push(request.url().split('/some/path/')[1]));
    const bundled = () => asked.filter((path) => path.startsWith('models/')).sort();
    assert.deepEqual(await read(page, { model: 'models/test?v=3&key=a%2Fb#there' }), { names: ['Oslo'] });
    const query = '?v=3&key=a%2Fb';
    assert.deepEqual(bundled(), ['manifest.json', 'tokenizer.json', 'weights.bpk'].map((name) => `models/test/${name}${query}`));
    assert.ok(requests.includes('models/test/weights.bpk'));
    asked.length = 0;
    assert.deepEqual(await read(page, { model: 'models/test/?v=4' }), { names: ['Oslo'] });
    assert.deepEqual(bundled(), ['models/test/manifest.json?v=4']);
  }));

test('what is no manifest is refused with what to do', async () => {
  const answers = { 'null/': 'null', 'page/': '<!doctype html>' };
  const intercept = (path, request, response) => {
    const body = Object.entries(answers).find(([folder]) => path === `models/${folder}manifest.json`)?.[1];
    if (body) response.writeHead(200).end(body);
    return Boolean(body);
  };
  await visit(shared, { bundle, query: BLANK, intercept }, async (page) => {
    /** @type {[string, string, RegExp][]} */
    const wrong = [
      ['null', 'bundle', /is no manifest/],
      ['page', 'bundle', /is not JSON/],
      ['test/manifest.json', 'not-found', /There is no file at/],
    ];
    for (const [model, code, words] of wrong) {
      const answer = await read(page, { model: `models/${model}` });
      assert.equal(answer.code, code);
      assert.match(answer.message, words);
      assert.match(answer.message, /Pass the URL of the folder that holds/);
    }
  });
});

test('what is no URL and what is no limit is refused in words', () =>
  visit(shared, { bundle, query: BLANK }, async (page) => {
    const errors = await page.evaluate(async () => {
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(`${root}mner.js`);
      const caught = ({ name, code, message }) => [name, code, message];
      return Promise.all([
        Recognizer.load('http://').catch(caught),
        Recognizer.load(`${root}models/test/`, { timeout: 0 }).catch(caught),
        Recognizer.load(`${root}models/test/`, { timeout: NaN }).catch(caught),
      ]);
    });
    for (const [i, words] of [/“http:\/\/” is no URL/, /above 0, not 0/, /above 0, not NaN/].entries()) {
      assert.deepEqual(errors[i].slice(0, 2), ['MnerError', 'input']);
      assert.match(errors[i][2], words);
    }
  }));

/** A script for a Worker: reads a tweet with the model at each URL, and gives the names or the error. */
const inner = (module, urls) => `
  import { Recognizer } from '${module}';
  const answers = [];
  for (const url of ${JSON.stringify(urls)}) {
    try {
      const mner = await Recognizer.load(url, { backend: 'cpu' });
      const { entities, picture } = await mner.recognize({ text: 'in Oslo', image: new Blob(['image of kites']) });
      answers.push([...entities.map(({ text }) => text), picture.tags[0].name]);
    } catch (error) {
      answers.push([error.name, error.code]);
    }
  }
  postMessage(answers);`;

/** What a Worker of this script posts first. */
function posted(page, url) {
  return page.evaluate(
    (url) =>
      new Promise((done, failed) => {
        const worker = new Worker(url, { type: 'module' });
        worker.onmessage = ({ data }) => done(data);
        worker.onerror = ({ message }) => failed(new Error(message));
      }),
    url,
  );
}

test('works inside a Worker of the page, where URLs are relative to its script', () => {
  const intercept = (path, request, response) => {
    if (path !== 'workers/inner.js') return false;
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(inner('../mner.js', ['../models/test/']));
    return true;
  };
  return visit(shared, { bundle, query: BLANK, intercept }, async (page, { url }) => {
    assert.deepEqual(await posted(page, `${url}workers/inner.js`), [['Oslo', 'image of kites']]);
  });
});

test('works inside a Worker made of a blob, where no URL is relative', () =>
  visit(shared, { bundle, query: BLANK }, async (page, { url }) => {
    const script = inner(`${url}mner.js`, [`${url}models/test/`, 'models/test/']);
    const blob = await page.evaluate((script) => URL.createObjectURL(new Blob([script], { type: 'text/javascript' })), script);
    assert.deepEqual(await posted(page, blob), [['Oslo', 'image of kites'], ['MnerError', 'input']]);
  }));

/** Another site with the module and an engine; `open` says which paths it lets other sites read. */
async function withOtherSite(open, use) {
  await visit(shared, { bundle, query: BLANK, intercept: letting(open) }, (page, { url }) => use(url));
}

function letting(open) {
  return (path, request, response) => {
    if (open(path)) response.setHeader('access-control-allow-origin', '*');
    return false;
  };
}

test('works from another site that lets its files be read, with a model from either', () =>
  withOtherSite(() => true, (other) =>
    visit(shared, { bundle, query: BLANK }, async (page, { requests }) => {
      const from = `${other}mner.js`;
      assert.deepEqual(await read(page, { from }), { names: ['Oslo'] });
      assert.deepEqual(await read(page, { from, model: `${other}models/test/` }), { names: ['Oslo'] });
      // A Worker that died is started anew from there.
      const { code } = await read(page, { from, text: 'crash' });
      assert.equal(code, 'crashed');
      assert.deepEqual(requests.filter((path) => !path.startsWith('models/')), [BLANK]);
    }),
  ));

test('from another site that does not let its Worker be read, it says what to do', () =>
  withOtherSite((path) => path !== 'worker.js', (other) =>
    visit(shared, { bundle, query: BLANK }, async (page) => {
      const { name, code, message } = await read(page, { from: `${other}mner.js` });
      assert.deepEqual([name, code], ['MnerError', 'origin']);
      assert.match(message, new RegExp(`mner comes from ${new URL(other).origin}.*Access-Control-Allow-Origin.*serve mner from this site`));
    }),
  ));

test('from another site, under a policy that lets no blob be a Worker, it says what to do', () =>
  withOtherSite(() => true, (other) => {
    const intercept = (path, request, response) => {
      if (path !== 'strict.html') return false;
      const policy = `default-src * 'unsafe-inline'; worker-src 'self'`;
      response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': policy }).end('<!doctype html>');
      return true;
    };
    return visit(shared, { bundle, query: 'strict.html', intercept }, async (page) => {
      const { code, message } = await read(page, { from: `${other}mner.js` });
      assert.equal(code, 'origin');
      assert.match(message, /worker-src blob:/);
    });
  }));

/** The processes of the browser that run pages. */
async function renderers(page) {
  const session = await page.context().browser().newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
}

test('a machine that sleeps over a tweet kills no engine', () =>
  visit(shared, { bundle, query: BLANK }, async (page, { requests }) => {
    const started = page.waitForEvent('console', (message) => message.text() === 'reading');
    const answer = read(page, { options: { timeout: 1000 }, text: 'slowly in Oslo' });
    await started;
    const processes = await renderers(page);
    // The sleep of the machine itself: longer than the limit.
    for (const id of processes) kill(id, 'SIGSTOP');
    await sleep(2500);
    for (const id of processes) kill(id, 'SIGCONT');
    assert.deepEqual(await answer, { names: ['Oslo'] });
    assert.equal(requests.filter((path) => path === WASM).length, 1);
  }));

test('an engine that hangs while the page is awake is killed in time, also after a sleep', () =>
  visit(shared, { bundle, query: BLANK }, async (page) => {
    const started = page.waitForEvent('console', (message) => message.text() === 'reading');
    const from = Date.now();
    const answer = read(page, { options: { timeout: 1000 }, text: 'slowly hang' });
    await started;
    const processes = await renderers(page);
    for (const id of processes) kill(id, 'SIGSTOP');
    await sleep(1500);
    for (const id of processes) kill(id, 'SIGCONT');
    const { code, message } = await answer;
    assert.equal(code, 'timeout');
    assert.match(message, /within 1 second/);
    // Two tries of a second each, and the sleep.
    assert.ok(Date.now() - from < 20_000);
  }));

test('a long text may take longer than the limit while the engine says how far it is', () =>
  visit(shared, { bundle, query: BLANK }, async (page, { requests }) => {
    const { names, seen } = await page.evaluate(async () => {
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(`${root}mner.js`);
      const mner = await Recognizer.load(`${root}models/test/`, { backend: 'cpu', timeout: 500 });
      const seen = [];
      const text = `${'It saw a town. '.repeat(20_000).toLowerCase()}Zoë in Oslo`;
      const onProgress = (progress) => seen.push(progress);
      const { entities } = await mner.recognize({ text }, { onProgress });
      // With an image too.
      await mner.recognize({ text, image: new Blob(['image']) }, { onProgress });
      return { names: entities.length, seen };
    });
    assert.equal(names, 2);
    const total = 300_011;
    const each = Array.from({ length: 10 }, (_, i) => ({ part: 'text', loaded: Math.round(((i + 1) * total) / 10), total }));
    assert.deepEqual(seen, [...each, ...each]);
    assert.equal(requests.filter((path) => path === WASM).length, 1);
  }));

test('a long text that nobody waits for keeps no other waiting', () =>
  visit(shared, { bundle, query: BLANK }, async (page, { requests }) => {
    const { first, second, seen } = await page.evaluate(async () => {
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(`${root}mner.js`);
      const mner = await Recognizer.load(`${root}models/test/`, { backend: 'cpu' });
      const stop = new AbortController();
      let seen = 0;
      const onProgress = () => {
        if (++seen === 2) stop.abort(new Error('enough'));
      };
      const long = mner.recognize({ text: 'It saw a town. '.repeat(20_000) }, { signal: stop.signal, onProgress });
      const first = await long.catch(({ message }) => message);
      const { entities } = await mner.recognize({ text: 'Zoë in Oslo' });
      return { first, second: entities.map(({ text }) => text), seen };
    });
    assert.equal(first, 'enough');
    assert.deepEqual(second, ['Zoë', 'Oslo']);
    assert.equal(seen, 2);
    // The engine is the same.
    assert.equal(requests.filter((path) => path === WASM).length, 1);
  }));
