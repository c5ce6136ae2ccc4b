/**
 * Compresses the page's engine for servers that send `.br` or `.gz` files, and lists what a visitor downloads:
 * `node pack.mjs FOLDER`. Files that are packed already are left alone.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { argv } from 'node:process';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const folder = argv[2];
const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(wasm|js)$/.test(entry.name))
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

console.log(`${'file'.padEnd(32)}${['bytes', 'gzip', 'brotli'].map((title) => title.padStart(12)).join('')}`);
for (const file of files.sort()) {
  const bytes = readFileSync(file);
  /** @type {[string, () => Buffer][]} */
  const ways = [
    ['.gz', () => gzipSync(bytes, { level: 9 })],
    ['.br', () => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } })],
  ];
  const sizes = ways.map(([suffix, compress]) => {
    const packed = file + suffix;
    const found = statSync(packed, { throwIfNoEntry: false });
    if (!found || found.mtimeMs < statSync(file).mtimeMs) writeFileSync(packed, compress());
    return statSync(packed).size;
  });
  const row = [bytes.length, ...sizes].map((size) => String(size).padStart(12)).join('');
  console.log(`${relative(folder, file).padEnd(32)}${row}`);
}
