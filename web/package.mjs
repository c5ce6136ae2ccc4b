/**
 * Makes the npm package: `node package.mjs ENGINES OUT` puts what `npm pack` needs into the folder OUT. ENGINES is a folder with
 * the engines, as www/pkg.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const TSC = join(ROOT, 'tests/browser/node_modules/typescript/bin/tsc');
/** The module: mner.js and all that it and its Worker import, apart from engines.js. */
const MODULE = [
  ...['mner.js', 'bundle-url.js', 'errors.js', 'given-image.js', 'in-order.js', 'name-bounds.js', 'platform.js', 'remote-fetch.js'],
  ...['worker-calls.js'],
  ...['worker.js', 'download.js', 'kept-files.js', 'image-file.js', 'webgpu.js', 'engine.d.ts', 'answers.d.ts'],
];
const NODE = ['node.js', 'node-platform.js', 'node-worker.js'];
/** Each backend's folder among the engines, and what a package needs of it. */
const FOLDERS = { cpu: 'cpu', webgpu: 'gpu' };
const FILES = ['mner_web.js', 'mner_web_bg.wasm'];

/**
 * @param {string} engines
 * @param {string} out is made anew
 */
export function makePackage(engines, out) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const name of MODULE) cpSync(join(ROOT, 'www', name), join(out, name));
  for (const name of [...NODE, 'README.md']) cpSync(join(ROOT, 'web/package', name), join(out, name));
  for (const name of ['LICENSE-MIT', 'LICENSE-APACHE']) cpSync(join(ROOT, name), join(out, name));
  const entries = Object.entries(FOLDERS).map(([backend, folder]) => {
    for (const name of FILES) {
      const file = join(engines, folder, name);
      if (!existsSync(file)) throw new Error(`There is no ${file}. Run ./build.sh engine ${folder}.`);
      cpSync(file, join(out, 'pkg', folder, name));
    }
    return [backend, entry(folder, statSync(join(out, 'pkg', folder, FILES[1])).size)];
  });
  writeFileSync(join(out, 'engines.js'), enginesModule(entries));
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
  declare(out);
}

/** Where one engine is, as source: bundlers follow a URL only if it is written out. */
function entry(folder, bytes) {
  const url = (name) => `new URL('./pkg/${folder}/${name}', import.meta.url).href`;
  return `{ glue: ${url(FILES[0])}, wasm: ${url(FILES[1])}, bytes: ${bytes} }`;
}

function enginesModule(entries) {
  return `/** Where the engines are. Each file is named in full, as bundlers need it. */
const ENGINES = {
${entries.map(([backend, source]) => `  ${backend}: ${source},\n`).join('')}};

/** @param {import('./mner.js').Backend} backend */
export async function engineOf(backend) {
  return ENGINES[backend];
}
`;
}

function manifest() {
  const [, version] = /^version = "(.+)"$/m.exec(readFileSync(join(ROOT, 'Cargo.toml'), 'utf8'));
  const entryPoint = (name) => ({ types: `./${name}.d.ts`, default: `./${name}.js` });
  return {
    name: '@mner/mner',
    version,
    description: 'Named entity recognition for tweets, from the text and its image, in the browser and in Node',
    keywords: ['named entity recognition', 'ner', 'multimodal', 'tweets', 'webassembly', 'webgpu'],
    license: 'MIT OR Apache-2.0',
    type: 'module',
    exports: { '.': entryPoint('mner'), './node': entryPoint('node'), './package.json': './package.json' },
    types: './mner.d.ts',
    engines: { node: '>=20' },
  };
}

/** Writes the types of the entry points, as the comments of the sources have them. */
function declare(out) {
  const options = ['--ignoreConfig', '--allowJs', '--declaration', '--emitDeclarationOnly', '--stripInternal', '--skipLibCheck'];
  const target = ['--target', 'esnext', '--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'esnext,dom,dom.iterable,dom.asynciterable'];
  const types = ['--types', 'node', '--typeRoots', join(ROOT, 'tests/browser/node_modules/@types')];
  execFileSync(execPath, [TSC, ...options, ...target, ...types, '--outDir', out, join(out, 'mner.js'), join(out, 'node.js')], { stdio: 'inherit' });
  // What the entry points' own types do not name.
  for (const name of ['bundle-url', 'in-order', 'name-bounds', 'platform', 'node-platform', 'worker-calls']) rmSync(join(out, `${name}.d.ts`), { force: true });
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [, , engines, out] = argv;
  makePackage(engines, out);
}
