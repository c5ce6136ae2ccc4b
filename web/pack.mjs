/**
 * Compresses what a visitor downloads for servers that send `.br` or `.gz` files, and lists it: `node pack.mjs FOLDER...`.
 * Files that are packed already are left alone.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const { BROTLI_PARAM_QUALITY: QUALITY, BROTLI_PARAM_SIZE_HINT: SIZE } = constants;
/** Engines, and the files of models. */
const PACKED = /\.(wasm|js|bpk)$|^(tokenizer|manifest)\.json$/;
/** Weights are nearly noise: what little there is to find in them is found at once. */
const NOISE = /\.bpk$/;

const files = argv.slice(2).flatMap((folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && PACKED.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
);

console.log(`${'file'.padEnd(40)}${['bytes', 'gzip', 'brotli'].map((title) => title.padStart(12)).join('')}`);
for (const file of files.sort()) {
  const bytes = readFileSync(file);
  /** @type {[string, () => Buffer][]} */
  const ways = [
    ['.gz', () => gzipSync(bytes, { level: 9 })],
    ['.br', () => brotliCompressSync(bytes, { params: { [QUALITY]: NOISE.test(file) ? 5 : 11, [SIZE]: bytes.length } })],
  ];
  const sizes = ways.map(([suffix, compress]) => {
    const packed = file + suffix;
    const found = statSync(packed, { throwIfNoEntry: false });
    if (!found || found.mtimeMs < statSync(file).mtimeMs) writeFileSync(packed, compress());
    return statSync(packed).size;
  });
  const row = [bytes.length, ...sizes].map((size) => String(size).padStart(12)).join('');
  console.log(`${file.padEnd(40)}${row}`);
}
