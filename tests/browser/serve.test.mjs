/** The server that the page is developed and tested with. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { serve } from './serve.mjs';

let root;
let site;

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'mner-serve-'));
  writeFileSync(join(root, 'index.html'), 'hello');
  writeFileSync(join(root, 'a.wasm'), '0123456789');
  writeFileSync(join(root, 'a.wasm.br'), brotliCompressSync('0123456789'));
  site = await serve({ root, prefix: '/below/' });
});
after(async () => {
  await site.close();
  rmSync(root, { recursive: true });
});

test('serves the index, with its type', async () => {
  const response = await fetch(site.url);
  assert.equal(await response.text(), 'hello');
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
});

test('sends the compressed file where it may', async () => {
  const packed = await fetch(`${site.url}a.wasm`, { headers: { 'accept-encoding': 'br' } });
  assert.equal(packed.headers.get('content-encoding'), 'br');
  assert.equal(packed.headers.get('content-type'), 'application/wasm');
  assert.equal(await packed.text(), '0123456789');
  const plain = await fetch(`${site.url}a.wasm`, { headers: { 'accept-encoding': 'identity' } });
  assert.equal(plain.headers.get('content-encoding'), null);
});

test('sends the rest of a file', async () => {
  const rest = await fetch(`${site.url}a.wasm`, { headers: { range: 'bytes=4-' } });
  assert.deepEqual([rest.status, await rest.text()], [206, '456789']);
  const beyond = await fetch(`${site.url}a.wasm`, { headers: { range: 'bytes=10-' } });
  assert.equal(beyond.status, 416);
});

test('answers 304 to who has the file', async () => {
  const { headers } = await fetch(site.url);
  const again = await fetch(site.url, { headers: { 'if-none-match': headers.get('etag') } });
  assert.equal(again.status, 304);
});

test('serves nothing outside its folder', async () => {
  for (const path of ['/below/../../../../../etc/passwd', '/below/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd', '/below//etc/passwd', '/']) {
    // fetch would tidy the path up before sending it.
    const status = await new Promise((done) => {
      request({ port: new URL(site.url).port, path }, (response) => done(response.resume().statusCode)).end();
    });
    assert.equal(status, 404, path);
  }
});
