/** Answers as files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { accessibilityViolations, enter, hand, lookedAt, madeUpModels, realBundle, saved, shows, visit, withBrowser } from './harness.mjs';
import { TWEETS, imageBytes, missing } from './built.mjs';

const shared = withBrowser();
const models = madeUpModels();
const site = { models: { ham: models.ham } };
const FORMATS = ['json', 'conll', 'doccano', 'label-studio', 'prodigy', 'brat', 'datasets', 'conllu', 'spacy'];

const all = { list: '#visit-format', button: '#visit-download' };

/** The files of an archive by its directory; every file is compared with its own head and checked. */
function unzip(bytes) {
  const end = bytes.length - 22;
  assert.equal(bytes.readUInt32LE(end), 0x06054b50);
  const files = {};
  for (let i = 0, at = bytes.readUInt32LE(end + 16); i < bytes.readUInt16LE(end + 10); i++) {
    assert.equal(bytes.readUInt32LE(at), 0x02014b50);
    const [size, title, offset] = [bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28), bytes.readUInt32LE(at + 42)];
    const name = bytes.toString('utf8', at + 46, at + 46 + title);
    assert.equal(bytes.readUInt32LE(offset), 0x04034b50);
    assert.deepEqual(bytes.subarray(offset + 4, offset + 30), bytes.subarray(at + 6, at + 32));
    const body = bytes.subarray(offset + 30 + title, offset + 30 + title + size);
    // A gzip file ends in the same sum.
    assert.equal(bytes.readUInt32LE(at + 16), gzipSync(body).readUInt32LE(gzipSync(body).length - 8));
    files[name] = body.toString();
    at += 46 + title;
  }
  return files;
}

test('an answer can be saved in every format', () =>
  visit(shared, site, async (page) => {
    await enter(page, 'Jordan in Oslo');
    await hand(page, 'drop');
    await lookedAt(page);
    assert.deepEqual(await page.locator('#format option').evaluateAll((options) => options.map((option) => option.getAttribute('value'))), FORMATS);
    const json = await saved(page, 'json');
    assert.equal(json.name, 'tweet-json.json');
    const { text, entities } = JSON.parse(json.bytes.toString());
    assert.deepEqual([text, entities.map(({ type }) => type)], ['Jordan in Oslo', ['PER', 'PER']]);
    const conll = await saved(page, 'conll');
    assert.deepEqual([conll.name, conll.bytes.toString()], ['tweet-conll.conll', 'Jordan B-PER\nin O\nOslo B-PER\n']);
    for (const format of FORMATS.slice(2).filter((format) => format !== 'brat')) {
      const { name, bytes } = await saved(page, format);
      assert.equal(name, `tweet-${format}.jsonl`);
      const written = JSON.parse(bytes.toString());
      assert.deepEqual([written.format, written.text, written.model, written.images], [format, 'Jordan in Oslo', 'ham', ['photo.webp']]);
      assert.equal(written.entities.length, 2);
    }
    const brat = await saved(page, 'brat');
    assert.equal(brat.name, 'tweet-brat.zip');
    assert.deepEqual(Object.keys(unzip(brat.bytes)), ['1.txt', '1.ann']);
    assert.equal(unzip(brat.bytes)['1.txt'], 'Jordan in Oslo');
    assert.deepEqual(await accessibilityViolations(page), []);
  }));

test('names that are left out are left out of files, too', () =>
  visit(shared, site, async (page) => {
    await enter(page, 'in Oslo with @Jane');
    await page.getByLabel('Names in @mentions').uncheck();
    const { bytes } = await saved(page, 'doccano');
    assert.deepEqual(JSON.parse(bytes.toString()).entities.map(({ text }) => text), ['Oslo']);
  }));

test('the whole visit can be saved', () =>
  visit(shared, site, async (page) => {
    await enter(page, 'Jordan in Oslo');
    await page.getByText('1 tweet in this visit').waitFor();
    const one = await saved(page, 'json', all);
    assert.deepEqual(JSON.parse(one.bytes.toString()).map(({ text, model }) => [text, model]), [['Jordan in Oslo', 'ham']]);
    await page.locator('#examples button').first().click();
    await lookedAt(page);
    await page.getByText('2 tweets in this visit').waitFor();
    const { name, bytes } = await saved(page, 'spacy', all);
    assert.equal(name, 'visit-spacy.jsonl');
    const lines = bytes.toString().trim().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ images }) => images), [[], ['Lift-off']]);
    const conll = await saved(page, 'conll', all);
    assert.match(conll.bytes.toString(), /^Jordan B-ORG\nin O\nOslo B-PER\n\nRT /);
    const brat = unzip((await saved(page, 'brat', all)).bytes);
    assert.deepEqual(Object.keys(brat), ['1.txt', '1.ann', '2.txt', '2.ann']);
    assert.equal(brat['2.txt'], await page.locator('#tweet').inputValue());
  }));

test('what a format cannot say, and what cannot be written at all, is told', () =>
  visit(shared, site, async (page) => {
    await enter(page, 'Lost in Oslo');
    await saved(page, 'conllu');
    await page.getByText('The format cannot say everything: 1 thing was left out. Message of the engine: document 1: the span "Lost"').waitFor();
    await saved(page, 'json');
    await page.locator('#download-problem').waitFor({ state: 'hidden' });
    await enter(page, 'Unwritable');
    await page.locator('#format').selectOption('spacy');
    await page.locator('#download').click();
    await page.getByText('The file could not be written. Message of the engine: the span 0 to 9').waitFor();
    await shows(page, 'answer');
  }));

test('the compiled engine writes what it found, in every format', { skip: missing('cpu') }, () =>
  visit(shared, { engine: 'built', bundle: realBundle() }, async (page) => {
    page.setDefaultTimeout(120_000);
    const { text, image: name } = TWEETS[0];
    await page.locator('#tweet').fill(text);
    await hand(page, 'drop', { name, type: 'image/jpeg', bytes: imageBytes(name) });
    await lookedAt(page);
    const { entities } = JSON.parse((await saved(page, 'json')).bytes.toString());
    assert.ok(entities.length > 0, 'a model of random weights finds something here');
    const written = async (format) => (await saved(page, format)).bytes.toString();
    const spans = (/** @type {'utf16' | 'chars'} */ unit) => entities.map((entity) => [...entity[unit], entity.type]);
    const jsonl = (text) => text.trim().split('\n').map((line) => JSON.parse(line));

    const [doccano] = jsonl(await written('doccano'));
    assert.deepEqual([doccano.text, doccano.label], [text, spans('utf16')]);
    const [prodigy] = jsonl(await written('prodigy'));
    assert.deepEqual(prodigy.spans.map(({ start, end, label }) => [start, end, label]), spans('chars'));
    const [task] = JSON.parse(await written('label-studio'));
    const [prediction] = task.predictions;
    assert.deepEqual(prediction.result.map(({ value: { start, end, labels } }) => [start, end, labels[0]]), spans('chars'));
    const spacy = JSON.parse(await written('spacy'));
    assert.deepEqual(spacy[0][1].entities, spans('chars'));
    const brat = unzip((await saved(page, 'brat')).bytes);
    const [ann] = Object.keys(brat).filter((name) => name.endsWith('.ann'));
    assert.deepEqual([...brat[ann].matchAll(/^T\d+\t(\w+) (\d+) (\d+)\t/gm)].map(([, type, start, end]) => [Number(start), Number(end), type]), spans('chars'));
    const [dataset] = jsonl(await written('datasets'));
    assert.equal(dataset.tokens.length, dataset.ner_tags.length);
    assert.match(await written('conllu'), /^# text = RT @nasa/m);

    const refused = await page.evaluate(async () => {
      const { Recognizer } = await import(new URL('mner.js', location.href).href);
      const mner = await Recognizer.load('models/test/', { backend: 'cpu' });
      const said = ({ code, message }) => [code, message];
      const found = (bytes) => [{ text: 'Zoë', entities: [{ type: 'PER', bytes, confidence: 1 }] }];
      const format = /** @type {import('../../www/engine.d.ts').AnnotationFormat} */ ('word');
      const all = [await mner.annotations(format, []).catch(said)];
      // Inside a character, behind the text, the wrong way round, empty.
      for (const bytes of [[0, 3], [0, 5], [2, 1], [1, 1]]) all.push(await mner.annotations('brat', found(bytes)).catch(said));
      const { files } = await mner.annotations('spacy', found([0, 4]));
      mner.close();
      return [...all, files.map(({ name, text }) => [name, JSON.parse(text)[0]])];
    });
    assert.match(refused[0].join(), /^input,there is no format "word"; choose one of .*doccano/);
    for (const one of refused.slice(1, 5)) assert.match(one.join(), /^input,the span \d to \d \(PER\) is none of this text of 4 bytes/);
    assert.deepEqual(refused[5], [['annotations.json', ['Zoë', { entities: [[0, 3, 'PER']] }]]]);
  }));
