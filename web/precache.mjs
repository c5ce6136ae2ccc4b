/**
 * Lists the page's files with their hashes for its service worker: `node precache.mjs FOLDER` writes FOLDER/pkg/precache.js.
 * The release's version comes from the list, so it changes exactly when a file does.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const LIST = 'pkg/precache.js';
/** What no visitor needs kept: models (kept elsewhere), examples of other pages, the worker itself, packed copies, types, notes. */
const LEFT_OUT = /^(models|use)\/|^sw\.js$|(^|\/)\.|\.(br|gz|d\.ts|md)$/;
const ENGINE = /^pkg\/([^/]+)\//;

/**
 * @param {Iterable<[string, Buffer]>} files every file of the page, paths below its folder
 * @returns {string} the list as a script that sets `PRECACHE`: the version, and hashes by path of the page and of each engine
 */
export function precache(files) {
  const page = {};
  const engines = {};
  for (const [path, bytes] of [...new Map(files)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (LEFT_OUT.test(path) || path === LIST) continue;
    const engine = ENGINE.exec(path)?.[1];
    const group = engine ? (engines[engine] ??= {}) : page;
    group[path === 'index.html' ? './' : path] = sha256(bytes);
  }
  const version = sha256(JSON.stringify({ page, engines })).slice(0, 16);
  return `self.PRECACHE = ${JSON.stringify({ version, page, engines }, null, 2)};\n`;
}

/**
 * The files below a folder, with paths that URLs have.
 * @returns {Iterable<[string, Buffer]>}
 */
export function* filesIn(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const path = relative(folder, file).split(sep).join('/');
    if (entry.isFile() && !LEFT_OUT.test(path)) yield [path, readFileSync(file)];
  }
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const folder = argv[2];
  writeFileSync(join(folder, LIST), precache(filesIn(folder)));
}
