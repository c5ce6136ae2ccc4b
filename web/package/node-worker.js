/** Begins a thread: gives it the names that a browser's Worker has, then runs that Worker's code. */
import { open } from 'node:fs/promises';
import process from 'node:process';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parentPort } from 'node:worker_threads';
import { MnerError } from './errors.js';

const { fetch } = globalThis;

/** A file in the place of a server: all of it, or what comes behind an offset. */
async function read(url, { headers }) {
  const path = fileURLToPath(url);
  let file;
  try {
    file = await open(path);
    if (!(await file.stat()).isFile()) throw new Error('it is no file');
  } catch (error) {
    await file?.close();
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return new Response(null, { status: 404 });
    throw new MnerError('network', `${path} cannot be read: ${error.message}.`);
  }
  const start = Number(/^bytes=(\d+)-$/.exec(headers.Range ?? '')?.[1] ?? 0);
  return new Response(/** @type {any} */ (Readable.toWeb(file.createReadStream({ start }))), { status: start ? 206 : 200 });
}

const LISTENERS = { error: 'uncaughtException', unhandledrejection: 'unhandledRejection' };

Object.assign(globalThis, {
  self: globalThis,
  fetch: (url, init) => (url.startsWith('file:') ? read(url, init) : fetch(url, { headers: init.headers })),
  postMessage: (message, { transfer = [] } = {}) => parentPort.postMessage(message, transfer),
  addEventListener: (type, listener) =>
    process.on(LISTENERS[type], (error) => listener({ error, reason: error, message: String(error), preventDefault() {} })),
});

await import('./worker.js');
parentPort.on('message', (data) => /** @type {any} */ (globalThis).onmessage({ data }));
