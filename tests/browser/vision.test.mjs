/** What encodes images comes when the first text has been answered, on the stub engine: a text need not wait for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLANK, enter, hand, inWorkers, lookedAt, madeUpBundle, saying, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const VISION = 'models/test/eyes.bpk';
const later = { config: { system: 'hamlearning' }, eyes: { object_names: [], class_names: [] }, vision: 400_000, known_answer: { without_picture: [] } };
const bundle = madeUpBundle(later);

/** Sends half of the file, and the next quarters each time `go` is called. */
function slowly() {
  const whole = bundle['eyes.bpk'];
  const quarter = whole.length / 4;
  const told = new EventTarget();
  const intercept = (path, request, response) => {
    if (path !== VISION) return false;
    let at = 2;
    response.writeHead(200, { 'content-length': whole.length }).write(whole.subarray(0, at * quarter));
    told.addEventListener('go', () => response.write(whole.subarray(at * quarter, ++at * quarter)));
    return true;
  };
  return { intercept, go: () => told.dispatchEvent(new Event('go')) };
}

/** Says that there is no such file, until it is `found`. */
function missing() {
  let gone = true;
  const intercept = (path, request, response) => {
    if (path !== VISION || !gone) return false;
    response.writeHead(404).end();
    return true;
  };
  return { intercept, found: () => (gone = false) };
}

/** In the page: what becomes of an image. */
const SAY = async (mner, image) => mner.recognize({ text: 'Oslo', image }).then(() => 'seen', ({ code, message }) => `${code}: ${message}`);

/** Runs `script`, a function of the module's Recognizer and the bundle's URL, in a blank page. */
function inModule(options, script) {
  return visit(shared, { bundle, query: BLANK, ...options }, (page, site) =>
    script(
      (inside) =>
        page.evaluate(`(async () => {
          const root = new URL('.', location.href).href;
          const { Recognizer } = await import(root + 'mner.js');
          globalThis.mner ??= await Recognizer.load(root + 'models/test/', { backend: 'cpu', timeout: 2000 });
          const image = new Blob(['image of kites']);
          return (${inside})(mner, image);
        })()`),
      site,
      page,
    ),
  );
}

test('a text is answered without it, and then it is fetched', () =>
  inModule({}, async (run, { requests }) => {
    await run(async () => {});
    assert.ok(!requests.includes(VISION));
    assert.equal(await run(async (mner) => (await mner.recognize({ text: 'Oslo' })).entities.length), 1);
    // Once, whatever comes after.
    assert.equal(await run(async (mner, image) => (await mner.recognize({ text: 'Oslo', image })).picture.tags[0].name), 'image of kites');
    await run((mner) => mner.recognize({ text: 'Rome' }));
    assert.equal(requests.filter((path) => path === VISION).length, 1);
  }));

test('it is loaded with the rest where the model cannot be checked without', async () => {
  const sooner = { ...later };
  delete sooner.known_answer;
  await inModule({ bundle: madeUpBundle(sooner) }, async (run, { requests }) => {
    await run(async () => {});
    assert.ok(requests.includes(VISION));
  });
});

test('an image that comes before it waits, and hears how much is there', async () => {
  const { intercept, go } = slowly();
  await inModule({ intercept }, async (run) => {
    await run(async (mner, image) => {
      const onProgress = (/** @type {object} */ progress) => (globalThis.progress = progress);
      globalThis.waiting = mner.recognize({ text: 'Oslo', image }, { onProgress });
      while (globalThis.progress?.loaded !== 200_000) await new Promise((done) => setTimeout(done, 10));
      if (globalThis.progress.part !== 'eyes.bpk' || globalThis.progress.total !== 400_000) throw new Error(JSON.stringify(globalThis.progress));
    });
    go();
    go();
    assert.ok(await run(async () => Boolean((await globalThis.waiting).picture)));
  });
});

test('an image that nobody waits for any more leaves its turn to the next text, though its server is silent', async () => {
  const { intercept, go } = slowly();
  await inModule({ intercept }, async (run) => {
    const answered = await run(async (mner, image) => {
      const given = new AbortController();
      let half;
      const came = new Promise((done) => (half = done));
      const waiting = mner.recognize({ text: 'Oslo', image }, { signal: given.signal, onProgress: ({ loaded }) => loaded === 200_000 && half() });
      await came;
      await new Promise((done) => setTimeout(done, 100));
      given.abort();
      const stopped = await waiting.catch(({ name }) => name);
      const started = performance.now();
      const { entities } = await mner.recognize({ text: 'Rome' });
      return [stopped, entities.length, performance.now() - started < 1500];
    });
    assert.deepEqual(answered, ['AbortError', 1, true]);
    go();
    go();
    assert.ok(await run(async (mner, image) => Boolean((await mner.recognize({ text: 'Oslo', image })).picture)));
  });
});

test('a server that is slow to begin takes no Worker its life', async () => {
  const intercept = (path, request, response) => {
    if (path !== VISION) return false;
    // Longer than one tweet may take.
    setTimeout(() => response.writeHead(200, { 'content-length': bundle['eyes.bpk'].length }).end(bundle['eyes.bpk']), 3000);
    return true;
  };
  await inModule({ intercept }, async (run, { requests }) => {
    assert.ok(await run(async (mner, image) => Boolean((await mner.recognize({ text: 'Oslo', image })).picture)));
    assert.equal(requests.filter((path) => path.endsWith('.wasm')).length, 1);
  });
});

test('it is fetched without a text too, after a while', () =>
  inModule({}, async (run, { requests }) => {
    await run(async () => {});
    assert.ok(!requests.includes(VISION));
    await new Promise((done) => setTimeout(done, 6000));
    assert.ok(requests.includes(VISION));
  }));

test('two Workers do not wait for each other for ever', async () => {
  const { intercept, go } = slowly();
  await inModule({ intercept }, async (run, { requests }) => {
    const second = run(async (mner, image) => {
      await mner.recognize({ text: 'Oslo' });
      const root = new URL('.', location.href).href;
      const { Recognizer } = await import(`${root}mner.js`);
      const other = await Recognizer.load(`${root}models/test/`, { backend: 'cpu', timeout: 2000 });
      return Boolean((await other.recognize({ text: 'Oslo', image })).picture);
    });
    while (requests.filter((path) => path === VISION).length < 2) await new Promise((done) => setTimeout(done, 100));
    await new Promise((done) => setTimeout(done, 200));
    go();
    go();
    assert.ok(await second);
  });
});

test('what is not there is named, and asked for again with the next image', async () => {
  const { intercept, found } = missing();
  await inModule({ intercept }, async (run) => {
    assert.match(await run(SAY), /^not-found: .*eyes\.bpk/);
    assert.equal(await run(async (mner) => (await mner.recognize({ text: 'Oslo' })).entities.length), 1);
    found();
    assert.equal(await run(SAY), 'seen');
  });
});

test('one that is not what the manifest names is refused and not kept', async () => {
  const spoiled = { ...bundle, 'eyes.bpk': Buffer.from(bundle['eyes.bpk']).fill(0, 1000, 1010) };
  await inModule({ bundle: spoiled }, async (run, { requests }) => {
    assert.match(await run(SAY), /^bundle: eyes: not the file/);
    assert.match(await run(SAY), /^bundle: eyes: not the file/);
    assert.equal(requests.filter((path) => path === VISION).length, 2);
  });
});

test('an engine that dies has it again', () =>
  inModule({}, async (run, { requests }) => {
    const seen = await run(async (mner, image) => {
      await mner.recognize({ text: 'Oslo', image });
      await mner.recognize({ text: 'crash' }).catch(() => {});
      return Boolean((await mner.recognize({ text: 'Oslo', image })).picture);
    });
    assert.ok(seen);
    // From the cache.
    assert.equal(requests.filter((path) => path === VISION).length, 1);
  }));

test('the page shows the answer to the text meanwhile, and how much is there', async () => {
  const { intercept, go } = slowly();
  await visit(shared, { bundle, intercept }, async (page) => {
    await shows(page, 'empty');
    await hand(page, 'drop', saying('kites'));
    await enter(page, 'Anything in Oslo');
    await page.waitForTimeout(500);
    go();
    await page.locator('#reading').waitFor();
    assert.equal(await page.locator('#reading').innerText(), 'Fetching what reads pictures');
    assert.equal(await page.locator('#read').getAttribute('value'), '0.75');
    go();
    await lookedAt(page);
    await page.locator('#reading').waitFor({ state: 'hidden' });
  });
});

test('an image that could not be looked at for want of it is looked at with the next text', async () => {
  const { intercept, found } = missing();
  await visit(shared, { bundle, intercept }, async (page) => {
    await shows(page, 'empty');
    await hand(page, 'drop', saying('kites'));
    await enter(page, 'Anything in Oslo');
    await page.getByText('There is no file at').first().waitFor();
    found();
    await enter(page, 'Anything in Rome');
    await lookedAt(page);
  });
});

test('a model whose images the relaxed loop does not keep as they are goes to the plain one, after a restart too', () =>
  inModule({}, async (run, site, page) => {
    await inWorkers(page, "self.LOOP = self.MISREADS_IMAGES = 'relaxed'");
    assert.equal(await run(async (mner) => mner.loop.name), 'relaxed');
    await run((mner) => mner.recognize({ text: 'crash' }).catch(() => {}));
    const [seen, loop] = await run(async (mner, image) => [Boolean((await mner.recognize({ text: 'Oslo', image })).picture), mner.loop]);
    assert.ok(seen);
    assert.deepEqual(loop, { name: 'plain', reason: 'model' });
  }));
