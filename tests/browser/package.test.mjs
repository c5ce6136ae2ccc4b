/** The npm package as others use it, its answers being the command line's: Vite, a page without a bundler, a Worker, an extension, Node. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { env, execPath } from 'node:process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { build, createServer } from 'vite';
import { makePackage } from '../../web/package.mjs';
import { TWEETS, apart, imageBytes, missing, native } from './built.mjs';
import { ENGINES, withBrowser } from './harness.mjs';
import { serve } from './serve.mjs';

const skip = missing('cpu') || missing('gpu');
const shared = withBrowser();
const MODEL = env.MNER_TEST_BUNDLE ?? '';
/** One without an image among them. */
const SEEN = TWEETS.slice(1, 4);
/** What the browser lets an extension's page do at most. */
const EXTENSION = "script-src 'self' 'wasm-unsafe-eval'; object-src 'self'";
const TEST = fileURLToPath(new URL('.', import.meta.url));

/** @type {ReturnType<typeof native>[]} the command line's answers */
let wanted;
/** @type {string} a folder with an app that has the package installed */
let app;
/** @type {Awaited<ReturnType<typeof serve>>} another site, with the model */
let models;

before(async () => {
  if (skip) return;
  wanted = SEEN.map((tweet) => native(MODEL, tweet));
  app = mkdtempSync(join(tmpdir(), 'mner-app-'));
  const made = join(app, '.made');
  makePackage(ENGINES, made);
  const npm = (folder, ...words) => execFileSync('npm', [...words, '--offline', '--silent'], { cwd: folder, encoding: 'utf8' });
  const [{ filename, files }] = JSON.parse(npm(app, 'pack', './.made', '--json'));
  assert.ok(files.every(({ path }) => !/\.bpk$|tokenizer\.json$/.test(path)), 'a model is inside');
  file('package.json', JSON.stringify({ private: true, type: 'module' }));
  npm(app, 'install', `./${filename}`, '--no-audit', '--no-fund');
  rmSync(made, { recursive: true });
  models = await serve({
    root: dirname(MODEL),
    intercept: (path, request, response) => {
      response.setHeader('access-control-allow-origin', '*');
      return false;
    },
  });
});

after(async () => {
  await models?.close();
  if (app) rmSync(app, { recursive: true });
});

/** Puts a file into the app. */
function file(path, words) {
  mkdirSync(dirname(join(app, path)), { recursive: true });
  writeFileSync(join(app, path), words);
}

/** A function that answers tweets whose images are in base64, with the module at `from`. */
const answering = (from) => `
  import { Recognizer } from '${from}';
  globalThis.answers = async ([model, models, tweets]) => {
    const mner = await Recognizer.load(model, { models, backend: 'cpu-plain' });
    const bytes = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const inputs = tweets.map(({ text, image }) => ({ text, image: image && new Blob([bytes(image)]) }));
    const answers = [];
    for await (const { input, index, ...answer } of mner.recognizeAll(inputs)) answers.push(answer);
    mner.close();
    return answers;
  };`;
const page = (script) => `<!doctype html><meta charset="utf-8" /><script type="module" src="${script}"></script>`;

const given = () => SEEN.map(({ text, image: name }) => ({ text, image: name && imageBytes(name).toString('base64') }));

/** Whether the answers of a package are the command line's. */
function compare(answers) {
  assert.equal(answers.length, SEEN.length);
  SEEN.forEach((tweet, i) => {
    const { timings, backend, ...ours } = answers[i];
    const { text, ...theirs } = wanted[i];
    assert.equal(text, tweet.text);
    assert.ok(apart(ours, theirs) < 2e-3, `${tweet.text}: ${apart(ours, theirs)} apart`);
    assert.equal(backend, 'cpu');
    assert.equal(timings.look > 0, 'image' in tweet);
  });
  assert.ok(answers.some(({ entities }) => entities.length), 'the model found no name at all');
}

/** Opens a page that has `answers`, and compares. */
async function visit(url, context = shared.browser) {
  const tab = await context.newPage();
  const failed = [];
  tab.on('pageerror', (error) => failed.push(error.message));
  tab.on('requestfailed', (request) => failed.push(request.url()));
  tab.on('response', (response) => response.status() >= 400 && !response.url().endsWith('/favicon.ico') && failed.push(response.url()));
  try {
    await tab.goto(url);
    await tab.waitForFunction(() => 'answers' in globalThis).catch((error) => assert.fail(`${error.message} ${failed}`));
    const { answers, error } = await tab.evaluate(
      // @ts-ignore the app's
      (given) => globalThis.answers(given).then((answers) => ({ answers }), ({ code, message }) => ({ error: `${code}: ${message}` })),
      [basename(MODEL), models.url, given()],
    );
    assert.equal(error, undefined, String(failed));
    compare(answers);
    assert.deepEqual(failed, []);
  } finally {
    await tab.close();
  }
}

test('a fresh Vite app has it from node_modules, in development and built, with no setting', { skip }, async () => {
  file('index.html', page('/main.js'));
  file('main.js', answering('@mner/mner'));
  /** @type {import('vite').InlineConfig} */
  const config = { root: app, configFile: false, logLevel: 'error' };
  const server = await createServer(config);
  try {
    await server.listen();
    await visit(server.resolvedUrls.local[0]);
  } finally {
    await server.close();
  }
  await build(config);
  const built = readdirSync(join(app, 'dist/assets'));
  const wasm = built.filter((name) => name.endsWith('.wasm'));
  assert.equal(wasm.length, 2, built.join());
  const site = await serve({ root: join(app, 'dist') });
  try {
    await visit(site.url);
  } finally {
    await site.close();
  }
});

/** Serves the package's folder as it is, and pages beside it, below a path and under a policy. */
async function withoutBundler(policy, use) {
  cpSync(join(app, 'node_modules/@mner/mner'), join(app, 'site/lib/mner'), { recursive: true });
  const site = await serve({
    root: join(app, 'site'),
    prefix: '/~me/',
    intercept: (path, request, response) => {
      response.setHeader('content-security-policy', policy);
      return false;
    },
  });
  try {
    await use(site.url);
  } finally {
    await site.close();
  }
}

test('a page on another path has it without a bundler, under the policy of extensions', { skip }, () => {
  file('site/shop/item/index.html', page('page.js'));
  file('site/shop/item/page.js', answering('../../lib/mner/mner.js'));
  return withoutBundler(EXTENSION, (url) => visit(`${url}shop/item/`));
});

test('a Worker of the page has it', { skip }, () => {
  file('site/index.html', page('page.js'));
  file('site/worker.js', `${answering('./lib/mner/mner.js')}
    onmessage = async ({ data }) => postMessage(await globalThis.answers(data).catch(({ message }) => message));`);
  file('site/page.js', `globalThis.answers = (given) => new Promise((done, failed) => {
    const worker = new Worker('worker.js', { type: 'module' });
    worker.onmessage = ({ data }) => (typeof data === 'string' ? failed(new Error(data)) : done(data));
    worker.onerror = ({ message }) => failed(new Error(message));
    worker.postMessage(given);
  });`);
  return withoutBundler("default-src 'self' 'wasm-unsafe-eval'; connect-src *", (url) => visit(url));
});

test('an extension’s page has it', { skip }, async () => {
  const extension = join(app, 'extension');
  const manifest = { manifest_version: 3, name: 'mner', version: '1', content_security_policy: { extension_pages: `${EXTENSION};` } };
  file('extension/manifest.json', JSON.stringify(manifest));
  file('extension/page.html', page('page.js'));
  file('extension/page.js', answering('./mner/mner.js'));
  cpSync(join(app, 'node_modules/@mner/mner'), join(extension, 'mner'), { recursive: true });
  const profile = mkdtempSync(join(tmpdir(), 'mner-profile-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', `--disable-extensions-except=${extension}`, `--load-extension=${extension}`],
  });
  try {
    await visit(`chrome-extension://${idOf(extension)}/page.html`, /** @type {any} */ (context));
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
});

/** The id that Chromium gives an unpacked extension: of the SHA-256 of its path, 32 half bytes as letters from a on. */
function idOf(folder) {
  const hex = execFileSync('sha256sum', { input: folder, encoding: 'utf8' }).slice(0, 32);
  return [...hex].map((digit) => String.fromCharCode(97 + Number.parseInt(digit, 16))).join('');
}

/** Runs a script of the app's in Node and gives what it prints. */
async function inNode(name, ...words) {
  const { stdout } = await promisify(execFile)(execPath, [join(app, name), ...words], { cwd: app, maxBuffer: 1 << 26 });
  return JSON.parse(stdout);
}

test('Node has it, with a model from a folder and from a server, and ends by itself', { skip }, async () => {
  file('answers.mjs', `
    import { readFile } from 'node:fs/promises';
    import { argv } from 'node:process';
    import { MnerError, Recognizer } from '@mner/mner/node';
    const [, , folder, models, model, ...images] = argv;
    const { Recognizer: OfBrowsers } = await import('@mner/mner');
    const failed = [
      await OfBrowsers.load(folder).catch(({ code }) => code),
      await Recognizer.load('nowhere').catch((error) => error instanceof MnerError && error.code),
      await Recognizer.load(folder, { backend: 'webgpu' }).catch(({ code }) => code),
    ];
    const tweets = await Promise.all(images.map(async (image, i) => {
      const text = ${JSON.stringify(SEEN.map(({ text }) => text))}[i];
      if (!image) return { text };
      const bytes = await readFile(image);
      // What a program may have: a Buffer, or a File.
      return { text, image: i ? bytes : new File([bytes], 'photo', { type: 'image/webp' }) };
    }));
    const answers = {};
    const backend = 'cpu-plain';
    const sources = { folder: [folder, { backend }], server: [model, { models, backend }], asked: [new URL(model + '/', models), { backend, fetch: (url, init) => fetch(url, init) }] };
    for (const [name, how] of Object.entries(sources)) {
      const mner = await Recognizer.load(...how);
      answers[name] = [];
      for await (const { input, index, ...answer } of mner.recognizeAll(tweets)) answers[name].push(answer);
      const error = await mner.recognize({ text: 'Oslo', image: Buffer.from('no image') }).catch(({ code }) => code);
      failed.push(error);
    }
    console.log(JSON.stringify({ answers, failed }));`);
  const images = SEEN.map(({ image: name }) => (name ? join(TEST, '../reference/images', name) : ''));
  const { answers, failed } = await inNode('answers.mjs', MODEL, models.url, basename(MODEL), ...images);
  for (const [name, given] of Object.entries(answers)) assert.doesNotThrow(() => compare(given), name);
  assert.deepEqual(failed, ['engine', 'not-found', 'input', 'picture', 'picture', 'picture']);
});

test('its types tell a program what it may do', { skip }, async () => {
  const program = (wrong) => `
    import { MnerError, Recognizer, type Recognition } from '@mner/mner';
    import { Recognizer as InNode } from '@mner/mner/node';
    const mner: Recognizer = await Recognizer.load('hamlearning', { models: new URL('https://example.org/'), cache: false, backend: 'cpu' });
    const answer: Recognition = await mner.recognize({ text: 'Oslo', image: new Blob() });
    for (const { type, utf16: [from, to] } of answer.entities) console.log(type === 'PER', from + to);
    for await (const { input, entities, error } of mner.recognizeAll([{ text: 'Oslo', id: 3 }])) {
      if (error) throw error satisfies MnerError;
      else console.log(input.id.toFixed(), entities.length);
    }
    (await InNode.load('folder')).close();
    ${wrong}`;
  const tsc = (words) => {
    file('program.ts', words);
    const options = ['--noEmit', '--strict', '--target', 'esnext', '--module', 'nodenext', '--types', '', join(app, 'program.ts')];
    return promisify(execFile)(execPath, [join(TEST, 'node_modules/typescript/bin/tsc'), ...options], { cwd: app }).then(
      () => '',
      ({ stdout }) => stdout,
    );
  };
  assert.equal(await tsc(program('')), '');
  assert.match(await tsc(program('mner.recognize({ txt: 1 });')), /program\.ts\(12,.*'txt' does not exist/);
  assert.match(await tsc(program("Recognizer.load('x', { backend: 'tpu' });")), /"tpu"/);
  assert.ok(!existsSync(join(app, 'program.js')));
});
