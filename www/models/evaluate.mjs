/**
 * Scores models on the dev splits as a Markdown table, with the tweets' images, another tweet's and none:
 *
 *   MNER=target/release/mner DATA=... CACHE=runs/features node www/models/evaluate.mjs [BUNDLE...]
 *
 * DATA is make.sh's; CACHE keeps the image features. Without arguments: every model beside this file.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { argv, env, exit } from 'node:process';

const { MNER, DATA, CACHE } = env;
if (!MNER || !DATA) {
  console.error('MNER names the mner program and DATA the folder of the benchmarks');
  exit(2);
}
const here = new URL('.', import.meta.url).pathname;
const isBundle = (folder) => existsSync(join(folder, 'manifest.json'));
const bundles = argv.length > 2 ? argv.slice(2) : readdirSync(here).map((name) => join(here, name)).filter(isBundle);

const row = (cells) => console.log(`| ${cells.join(' | ')} |`);
row(['model', 'data', 'images', 'precision', 'recall', 'F1', 'PER', 'LOC', 'ORG', 'MISC', 'mean relevance']);
row(Array(11).fill('---'));
for (const bundle of bundles) {
  const { eyes } = JSON.parse(readFileSync(join(bundle, 'manifest.json')));
  for (const benchmark of ['twitter2017', 'twitter2015']) {
    const evaluate = (...more) =>
      JSON.parse(
        execFileSync(MNER, ['evaluate', '--bundle', bundle, '--data', join(DATA, benchmark, 'valid.txt'), '--json', ...more], {
          stdio: ['ignore', 'pipe', 'inherit'],
        }),
      );
    const print = (images, { lenient, relevance }) => {
      const { micro, PER, LOC, ORG, MISC } = lenient;
      const scores = [micro.precision, micro.recall, micro.f1, PER.f1, LOC.f1, ORG.f1, MISC.f1].map((score) => (100 * score).toFixed(2));
      const relevances = Object.values(relevance ?? {}).map((mean) => mean.toFixed(3));
      row([basename(bundle), benchmark, images, ...scores, relevances.join(', ')]);
    };
    if (eyes) {
      const cache = CACHE ? ['--cache', CACHE] : [];
      const { shuffled, ...own } = evaluate('--image-table', join(DATA, 'pictures.tsv'), '--shuffle-images', ...cache);
      print('its own', own);
      print("another's", shuffled);
    }
    print('none', eyes ? evaluate('--no-image') : evaluate());
  }
}
