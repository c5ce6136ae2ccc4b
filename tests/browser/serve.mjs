/**
 * A static file server for the page: `node serve.mjs ROOT [PORT]`.
 *
 * Right types, byte ranges, revalidation, and the `.br` or `.gz` beside a file where the browser takes it. The browser
 * tests use it as a module, and pass `intercept` to break answers on purpose.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, resolve, sep } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.svg': 'image/svg+xml',
  '.ts': 'text/plain; charset=utf-8',
  '.md': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
];

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 * @typedef {(path: string, request: Request, response: Response) => boolean | undefined} Intercept answers itself and returns
 *     true, or returns false
 */

/**
 * Serves the folder `root` below the path `prefix`, or below each of several, on this machine only. The URL is the first's.
 * @param {{root: string, port?: number, prefix?: string | string[], intercept?: Intercept}} options
 * @returns {Promise<{url: string, close: () => Promise<void>}>}
 */
export async function serve({ root, port = 0, prefix = '/', intercept = () => false }) {
  const base = resolve(root);
  const [first, ...more] = [prefix].flat();
  // The longest first: one may lie below another.
  const prefixes = [first, ...more].sort((a, b) => b.length - a.length);
  const server = createServer((request, response) => {
    answer(base, prefixes, intercept, request, response).catch((error) => {
      console.error(error);
      response.destroy();
    });
  });
  await new Promise((done, failed) => server.once('error', failed).listen(port, '127.0.0.1', done));
  return {
    url: `http://localhost:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}${first}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function answer(base, prefixes, intercept, request, response) {
  if (!['GET', 'HEAD'].includes(request.method)) return end(response, 405);
  let path;
  try {
    path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
  } catch {
    return end(response, 400);
  }
  const prefix = prefixes.find((one) => path.startsWith(one));
  if (prefix === undefined) return end(response, 404);
  path = path.slice(prefix.length);
  if (intercept(path, request, response)) return undefined;
  const file = resolve(base, path === '' || path.endsWith('/') ? `${path}index.html` : path);
  if (file !== base && !file.startsWith(base + sep)) return end(response, 404);
  const found = await isFile(file);
  if (!found) return end(response, 404);

  const headers = {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    vary: 'accept-encoding',
    'accept-ranges': 'bytes',
  };
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const packed = range ? undefined : await packedBeside(file, found, request.headers['accept-encoding'] ?? '');
  const { size, mtimeMs } = packed?.found ?? found;
  if (packed) headers['content-encoding'] = packed.encoding;
  headers.etag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
  if (request.headers['if-none-match'] === headers.etag) return end(response, 304, headers);
  const from = range ? Number(range[1]) : 0;
  if (range && from >= size) return end(response, 416, { 'content-range': `bytes */${size}` });
  if (range) headers['content-range'] = `bytes ${from}-${size - 1}/${size}`;
  response.writeHead(range ? 206 : 200, { ...headers, 'content-length': size - from });
  if (request.method === 'HEAD') return response.end();
  createReadStream(packed?.file ?? file, { start: from })
    .on('error', () => response.destroy())
    .pipe(response);
  return undefined;
}

/** The compressed sibling that the browser takes, unless the file is newer than it. */
async function packedBeside(file, { mtimeMs }, accepted) {
  for (const [encoding, suffix] of ENCODINGS) {
    if (!accepted.includes(encoding)) continue;
    const found = await isFile(file + suffix);
    if (found && found.mtimeMs >= mtimeMs) return { file: file + suffix, encoding, found };
  }
  return undefined;
}

async function isFile(file) {
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() ? found : undefined;
}

function end(response, status, headers = {}) {
  response.writeHead(status, headers).end();
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [, , root, port] = argv;
  try {
    const { url } = await serve({ root, port: Number(port ?? 8000) });
    console.log(`The page is at ${url}`);
  } catch (error) {
    const busy = error.code === 'EADDRINUSE';
    console.error(busy ? `Port ${port} is in use. Choose another: PORT=8001 ./build.sh serve` : error.message);
    process.exitCode = 1;
  }
}
