/**
 * The page's engine beside onnxruntime-web and transformers.js, each in a fresh headless Chromium, one thread, on a tweet of
 * 32 subwords: `node page.mjs MODEL NETWORK IMAGE`, a bundle's folder, network.py's folder, an image file.
 */
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { argv, env } from 'node:process';
import { chromium } from 'playwright-core';
import { serve } from '../../browser/serve.mjs';

const [, , model, network, image] = argv;
const here = new URL('.', import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), 'mner-bench-'));
const links = {
  www: '../../../www',
  ort: 'node_modules/onnxruntime-web/dist',
  tjs: 'node_modules/@huggingface/transformers/dist',
  tjsort: 'node_modules/@huggingface/transformers/node_modules/onnxruntime-web/dist',
};
for (const [name, target] of Object.entries(links)) symlinkSync(resolve(here, target), join(root, name));
symlinkSync(resolve(model), join(root, 'bundle'));
symlinkSync(resolve(network), join(root, 'network'));
symlinkSync(resolve(image), join(root, 'image'));

/** 30 subwords between [CLS] and [SEP]: plain words that every BERT vocabulary has whole. */
const TWEET =
  'today the president of france met the king of spain in paris to talk about the future of europe and the new york times was there to see it all';

let sent = 0;
/** What the page runs, and who waits for what it says. */
let script = '';
let said = () => {};
const site = await serve({
  root,
  intercept(path, request, response) {
    if (path === 'subject') {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>bench</title><script src="script.js"></script>');
      return true;
    }
    if (path === 'script.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
      return true;
    }
    if (path === 'said') {
      said(JSON.parse(new URL(request.url, 'http://localhost').searchParams.get('result')));
      response.writeHead(204).end();
      return true;
    }
    const { writeHead } = response;
    response.writeHead = (status, headers) => {
      sent += Number(headers?.['content-length'] ?? 0);
      return writeHead.call(response, status, headers);
    };
    return false;
  },
});

const SUBJECTS = {
  'an empty page': { setup: nothing },
  'mner, text': { setup: ours, withImage: false },
  ...(readsImages(resolve(model)) && { 'mner, text and image': { setup: ours, withImage: true } }),
  'onnxruntime-web f32': { setup: ort, file: 'model.onnx' },
  'onnxruntime-web int8': { setup: ort, file: 'model_quantized.onnx' },
  'transformers.js f32': { setup: transformers, dtype: 'fp32' },
  'transformers.js int8': { setup: transformers, dtype: 'q8' },
};

const results = {};
for (const [name, { setup, ...options }] of Object.entries(SUBJECTS)) {
  results[name] = await measure(setup, { tweet: TWEET, ...options });
  console.log(JSON.stringify({ name, ...results[name] }));
}
await site.close();
rmSync(root, { recursive: true });

const peer = results['onnxruntime-web f32'].warm;
const small = results['onnxruntime-web int8'].warm;
const row = (cells) => `| ${cells.join(' | ')} |`;
console.log(row(['', 'first answer ms', 'first 30 ms', 'warm ms', 'to ORT f32', 'to ORT int8', 'MB served', 'peak MB of the tab']));
console.log(row(Array(8).fill('---')));
for (const [name, { first, soon, warm, bytes, peak }] of Object.entries(results)) {
  const ratio = (to) => (warm / to).toFixed(2);
  const times = warm ? [first.toFixed(0), soon.toFixed(1), warm.toFixed(1), ratio(peer), ratio(small)] : Array(5).fill('');
  console.log(row([name, ...times, (bytes / 1e6).toFixed(1), (peak / 1e6).toFixed(0)]));
}

function readsImages(bundle) {
  return Boolean(JSON.parse(readFileSync(join(bundle, 'manifest.json'))).eyes);
}

async function measure(setup, options) {
  const browser = await chromium.launch({
    executablePath: env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  try {
    sent = 0;
    script = `(${setup})(${JSON.stringify(options)})
      .catch(({ message }) => ({ error: message }))
      .then((result) => fetch(\`said?result=\${encodeURIComponent(JSON.stringify(result))}\`))`;
    const result = new Promise((resolve) => (said = resolve));
    const session = await browser.newBrowserCDPSession();
    // Not a page of the driver's: into that it would have DevTools keep what the page downloads.
    await session.send('Target.createTarget', { url: `${site.url}subject` });
    const { error, ...timings } = await result;
    if (error) throw new Error(error);
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer');
    const peak = Math.max(...renderers.map(({ id }) => 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))[1])));
    return { ...timings, bytes: sent, peak };
  } finally {
    await browser.close();
  }
}

// What follows runs in the page. Each of them loads, answers once (first), then 90 times: soon is the median of the first 30, among which the
// browser still compiles what is used most, warm that of the last 30.

async function nothing() {
  await new Promise((done) => setTimeout(done, 1000));
  return {};
}

async function ours({ tweet, withImage }) {
  const started = performance.now();
  const { Recognizer } = await import('/www/mner.js');
  const mner = await Recognizer.load('/bundle/', { backend: 'cpu' });
  const image = withImage ? await (await fetch('/image')).blob() : undefined;
  const look = (await mner.recognize({ text: tweet, image })).timings?.look;
  const first = performance.now() - started;
  const times = [];
  for (let i = 0; i < 90; i++) {
    const start = performance.now();
    // Another tweet each time: nothing is answered from memory.
    await mner.recognize({ text: tweet.replace('today', ['today', 'now', 'here'][i % 3]), image });
    times.push(performance.now() - start);
  }
  const [soon, warm] = [0, 60].map((from) => times.slice(from, from + 30).sort((a, b) => a - b)[15]);
  return { first, look, soon, warm };
}

async function ort({ file }) {
  const started = performance.now();
  const ort = await import('/ort/ort.wasm.min.mjs');
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(`/network/onnx/${file}`, { executionProviders: ['wasm'] });
  const row = (value) => new ort.Tensor('int64', BigInt64Array.from({ length: 32 }, (_, i) => BigInt(value(i))), [1, 32]);
  const feeds = { input_ids: row((i) => 1000 + 7 * i), attention_mask: row(() => 1), token_type_ids: row(() => 0) };
  await session.run(feeds);
  const first = performance.now() - started;
  const times = [];
  for (let i = 0; i < 90; i++) {
    const start = performance.now();
    await session.run(feeds);
    times.push(performance.now() - start);
  }
  const [soon, warm] = [0, 60].map((from) => times.slice(from, from + 30).sort((a, b) => a - b)[15]);
  return { first, soon, warm };
}

async function transformers({ tweet, dtype }) {
  const started = performance.now();
  const { env, pipeline } = await import('/tjs/transformers.min.js');
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = '/';
  env.backends.onnx.wasm.wasmPaths = '/tjsort/';
  env.backends.onnx.wasm.numThreads = 1;
  const classify = await pipeline('token-classification', 'network', { dtype, device: 'wasm' });
  await classify(tweet);
  const first = performance.now() - started;
  const times = [];
  for (let i = 0; i < 90; i++) {
    const start = performance.now();
    await classify(tweet.replace('today', ['today', 'now', 'here'][i % 3]));
    times.push(performance.now() - start);
  }
  const [soon, warm] = [0, 60].map((from) => times.slice(from, from + 30).sort((a, b) => a - b)[15]);
  return { first, soon, warm };
}
