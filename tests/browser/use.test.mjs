/** The examples of www/use, on the stub engine. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { filesIn, precache } from '../../web/precache.mjs';
import { SCHEMES, accessibilityViolations, madeUpBundle, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const bundle = madeUpBundle();
const open = (name, use, options = {}) => visit(shared, { bundle, query: `use/${name}`, ...options }, use);
const texts = (page, selector) => page.locator(selector).allInnerTexts();

test('a first visit fetches none of them', () => {
  const list = precache(filesIn(new URL('../../www/', import.meta.url).pathname));
  assert.match(list, /"mner\.js"/);
  assert.doesNotMatch(list, /use\//);
});

for (const name of ['redact.html', 'batch.html', 'mner-text.html']) {
  test(`${name} can be used by everybody`, async () => {
    for (const colorScheme of SCHEMES) {
      await open(
        name,
        async (page) => {
          if (name === 'redact.html') await typed(page, 'Zoë met Anna in Oslo');
          if (name === 'batch.html') await done(page, ['t.jsonl', '{"text": "in Oslo"}']);
          if (name === 'mner-text.html') await page.locator('mner-text mark').first().waitFor();
          assert.deepEqual(await accessibilityViolations(page), []);
        },
        { context: { colorScheme } },
      );
    }
  });
}

// --- redact -------------------------------------------------------------------------------------------------------

async function typed(page, text) {
  await page.getByText('The model is ready').waitFor();
  await page.locator('#text').fill(text);
  await page.waitForFunction(() => !document.querySelector('#leaving').classList.contains('waiting'));
}

test('names are replaced, and put back into the answer', () =>
  open('redact.html', async (page, { requests }) => {
    await typed(page, 'Zoë met Anna in Oslo. Oslo is cold for zoë, says Anna-Lise.');
    const before = requests.length;
    const leaving = page.locator('#leaving');
    assert.equal(await leaving.innerText(), '[MISC-1] met [PER-1] in [PER-2]. [PER-2] is cold for zoë, says [PER-1]-[PER-3].');
    assert.deepEqual((await texts(page, '#names li')).map((row) => row.replace(/\s+/g, ' ')), ['[MISC-1] Zoë', '[PER-1] Anna', '[PER-2] Oslo', '[PER-3] Lise']);
    await page.locator('#answer').fill('Tell [PER-1] that [PER-2] is warmer in May, and [MISC-1] that [LOC-7] is not.');
    assert.equal(await page.locator('#restored').innerText(), 'Tell Anna that Oslo is warmer in May, and Zoë that [LOC-7] is not.');
    // What the model overlooked, and what may leave.
    await page.locator('#text').evaluate((/** @type {HTMLTextAreaElement} */ area) => area.setSelectionRange(39, 42));
    await page.getByRole('button', { name: 'Replace what is selected' }).click();
    await page.locator('#names li', { hasText: 'Anna' }).getByRole('checkbox').uncheck();
    assert.ok(await page.locator('#names li', { hasText: 'stays' }).getByRole('checkbox').evaluate((box) => box === document.activeElement));
    assert.equal(await leaving.innerText(), '[MISC-1] met Anna in [PER-1]. [PER-1] is cold for [NAME-1], says Anna-[PER-2].');
    await page.locator('#names li', { hasText: 'Anna' }).getByRole('checkbox').check();
    await page.getByRole('checkbox', { name: '[NAME-1] zoë' }).click();
    assert.match(await leaving.innerText(), /met \[PER-1\] .* for zoë,/);
    assert.equal(requests.length, before);
  }));

test('whatever was replaced comes back as it was', () =>
  open('redact.html', async (page) => {
    await page.getByText('The model is ready').waitFor();
    const wrong = await page.evaluate(async () => {
      const { redact, restore } = await import(new URL('redact.js', location.href).href);
      const found = (text) => [...text.matchAll(/\p{Lu}\p{L}*/gu)].map(({ 0: name, index }, i) => ({
        type: ['PER', 'LOC'][i % 2],
        utf16: [index, index + name.length],
      }));
      const letters = [...'AbB .*+?^${}()|[]\\/-Oslo $& 1PER-', '[PER-1]', '[LOC-2]', '👩🏽‍🚀', '\ud83d', 'New York', 'New'];
      let seed = 1;
      const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
      const wrong = [];
      for (let i = 0; i < 3000; i++) {
        const text = Array.from({ length: random(20) }, () => letters[random(letters.length)]).join('');
        const more = [letters[random(letters.length)]].filter((words) => text.includes(words) && words.trim());
        const { redacted, names } = redact(text, found(text), more);
        if (restore(redacted, names) !== text) wrong.push([text, redacted]);
      }
      return wrong;
    });
    assert.deepEqual(wrong, []);
  }));

test('a name goes nowhere, wherever else it stands', () =>
  open('redact.html', async (page) => {
    await page.getByText('The model is ready').waitFor();
    const redacted = await page.evaluate(async () => {
      const { redact } = await import(new URL('redact.js', location.href).href);
      const text = 'New York is in New York (state); (new york). #NewYork, York.';
      const at = (name, from, type) => ({ type, utf16: [from, from + name.length] });
      const found = [at('New York', 0, 'LOC'), at('NewYork', text.indexOf('NewYork'), 'LOC'), at('York', text.lastIndexOf('York'), 'PER')];
      return redact(text, found).redacted;
    });
    assert.equal(redacted, '[LOC-1] is in [LOC-1] (state); (new york). #[LOC-2], [PER-1].');
  }));

// --- batch --------------------------------------------------------------------------------------------------------

const choose = (page, [name, words]) => page.locator('#file').setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(words) });

/** Has a file read to the end; gives what it is saved as. */
async function done(page, file) {
  await choose(page, file);
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText('all of it is done').waitFor();
  return save(page);
}

/** The lines of the file that is saved, and its name. */
async function save(page) {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save as JSONL' }).click();
  const file = await download;
  const words = readFileSync(await file.path(), 'utf8');
  assert.ok(words.endsWith('\n'));
  return { name: file.suggestedFilename(), lines: words.slice(0, -1).split('\n') };
}

const span = (text, name) => [text.indexOf(name), text.indexOf(name) + name.length];

test('objects come out as they came in, with the entities behind; what is none is told in its line', () =>
  open('batch.html', async (page) => {
    const lines = [
      '{"id": 9007199254740993, "text":"in Oslo" }',
      '',
      '{"text": "no names here", "entities": 3}',
      '[1]',
      '{"text": 5}\r',
      '{broken',
      '{"text": "crash"}',
      '{"text":"Zoë \\ud83d","n":1.0}',
      '{"text": "none", "entities": 1, "mner_entities": 2}',
    ];
    const { name, lines: out } = await done(page, ['tweets.v2.jsonl', `\ufeff${lines.join('\n')}`]);
    assert.equal(name, 'tweets.v2.entities.jsonl');
    assert.equal(out.length, 8);
    assert.ok(out[0].startsWith('{"id": 9007199254740993, "text":"in Oslo" ,"entities":[{"type":"PER","text":"Oslo"'));
    assert.equal(out[1], '{"text": "no names here", "entities": 3,"mner_entities":[]}');
    assert.match(out[2], /^\{"line":4,"error":"line 4 is no object.*"\}$/);
    assert.equal(out[3], '{"text": 5,"line":5,"error":"line 5 has no text in “text”"}');
    assert.match(out[4], /^\{"line":6,"error":"line 6 is no JSON: .*"\}$/);
    assert.match(out[5], /^\{"text": "crash","line":7,"error":"/);
    assert.ok(out[6].startsWith('{"text":"Zoë \\ud83d","n":1.0,"entities":[{"type":"MISC","text":"Zoë"'));
    assert.equal(out[7], '{"text": "none", "entities": 1, "mner_entities": 2,"mner_mner_entities":[]}');
  }));

test('CSV is read with quotes, any separator and titles that repeat', () =>
  open('batch.html', async (page) => {
    const tweet = 'He said: "in\r\nOslo", or Rome';
    const csv = `id;tweet;id;\r\n1;"${tweet.replaceAll('"', '""')}";2;x;y\r\n\r\n3;"";4\r\n5;with "quotes" inside;6`;
    const { lines } = await done(page, ['a.csv', csv]);
    const [first, second, third] = lines.map((line) => JSON.parse(line));
    assert.deepEqual([first.id, first.tweet, first.id_, first.column_4, first.column_5], ['1', tweet, '2', 'x', 'y']);
    assert.deepEqual(first.entities.map(({ text, utf16 }) => [text, utf16]), ['He', 'Oslo', 'Rome'].map((name) => [name, span(tweet, name)]));
    assert.deepEqual(second, { id: '3', tweet: '', id_: '4', entities: [] });
    assert.equal(third.tweet, 'with "quotes" inside');
    await page.getByRole('button', { name: 'Discard' }).click();
    // As old spreadsheets end lines.
    const { lines: returned } = await done(page, ['c.csv', `text,n\r"a\rb",1\rin Oslo,2\r`]);
    assert.deepEqual(returned.map((line) => JSON.parse(line)).map(({ text, n }) => [text, n]), [['a\rb', '1'], ['in Oslo', '2']]);
    await page.getByRole('button', { name: 'Discard' }).click();
    // Longer than what a browser reads at once.
    const long = `n,content,\n${`1,"Anna, 東京 and Zoë 👩🏽‍🚀","${'x'.repeat(700)}"\n`.repeat(250)}`;
    const { lines: many } = await done(page, ['b.csv', long]);
    assert.equal(many.length, 250);
    assert.equal(new Set(many).size, 1);
    assert.equal(JSON.parse(many[0]).content, 'Anna, 東京 and Zoë 👩🏽‍🚀');
  }));

test('what is no list of tweets is refused in words', () =>
  open('batch.html', async (page) => {
    const files = [
      ['a.csv', 'text\n"open', /quote is not closed/],
      ['a.csv', Buffer.from('text\ncaf\xe9', 'latin1'), /not in UTF-8/],
      ['a.jsonl', '[1, 2]', /no record with a text/],
      ['empty.csv', '', /no record with a text/],
    ];
    for (const [name, words, said] of files) {
      await choose(page, [name, words]);
      await page.locator('#problem', { hasText: /** @type {RegExp} */ (said) }).waitFor();
    }
    assert.equal(await page.locator('#job').isVisible(), false);
  }));

test('a browser without storage says that it cannot work on a file', () =>
  open('batch.html', async (page) => {
    for (const script of ['delete IDBFactory.prototype.open', `Object.defineProperty(self, 'indexedDB', { value: undefined })`]) {
      await page.addInitScript(script);
      await page.reload();
      await page.locator('#problem', { hasText: /^This browser keeps nothing for this page, so a file cannot be worked on/ }).waitFor();
    }
  }));

test('after a reload it goes on where it was, and every tweet is answered once', () => {
  let held = false;
  const intercept = (path) => held && path.endsWith('manifest.json');
  const count = 130;
  const tweets = Array.from({ length: count }, (_, i) => JSON.stringify({ i, text: `${i > 60 && i < 68 ? 'slowly ' : ''}Oslo ${i}` }));
  const use = async (page) => {
    const at = () => page.locator('#done').innerText().then((words) => Number(words.split(' ')[0]));
    await choose(page, ['many.jsonl', tweets.join('\n')]);
    await page.getByRole('button', { name: 'Start' }).click();
    await page.waitForFunction(() => Number(document.querySelector('#done').textContent.split(' ')[0]) > 55);
    // It goes on by itself, and is at work as long as the model does not come.
    held = true;
    await page.reload();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    const before = await at();
    // Of those shown the last 50 may not be kept yet.
    assert.ok(before > 5 && before < count, String(before));
    // A second tab keeps its hands off.
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.getByText('Another tab is working on this file').waitFor();
    await other.close();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    held = false;
    await page.reload();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    assert.equal(await at(), before);
    assert.equal((await save(page)).lines.length, before);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('all of it is done').waitFor();
    const { lines } = await save(page);
    assert.deepEqual(lines.map((line) => JSON.parse(line).i), Array.from({ length: count }, (_, i) => i));
    assert.ok(lines.every((line) => JSON.parse(line).entities.length === 1));
    await page.getByRole('button', { name: 'Discard' }).click();
    // The page shows this when nothing is kept any more, and not before.
    await page.getByRole('button', { name: 'Choose a file' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Choose a file' }).waitFor();
  };
  return open('batch.html', use, { intercept });
});

// --- <mner-text> --------------------------------------------------------------------------------------------------

test('<mner-text> marks names over the borders of elements, and reads what changes', () =>
  open('mner-text.html', async (page) => {
    await page.locator('mner-text mark').first().waitFor();
    const put = async (html) => {
      const answered = page.evaluate(() => new Promise((done) => document.querySelector('mner-text').addEventListener('mner', done, { once: true })).then(() => {}));
      await page.locator('mner-text').evaluate((element, html) => (element.innerHTML = html), html);
      await answered;
      return page.locator('mner-text').evaluate((element) => element.innerHTML.replace(/<mark data-type="(\w+)" title="[^"]*"( data-label="\1")?>(.*?)<\/mark>/g, (_, type, last, words) => `{${last ? type : '…'} ${words}}`));
    };
    assert.equal(await put('<p>Rome</p><p>Ann <a href="#x">O<em>sl</em>o</a> and Oslo, Oslo</p>'), '<p>{PER Rome}</p><p>{MISC Ann} <a href="#x">{… O}<em>{… sl}</em>{PER o}</a> and {PER Oslo}, {PER Oslo}</p>');
    assert.equal(await put('Ro<script>Oslo</script>me<br>Bergen<textarea>Oslo</textarea>'), '{… Ro}<script>Oslo</script>{PER me}<br>{ORG Bergen}<textarea>Oslo</textarea>');
    // Its own marks are no change, and do not pile up.
    const answered = page.evaluate(() => new Promise((done) => document.querySelector('mner-text').addEventListener('mner', (event) => done(/** @type {CustomEvent} */ (event).detail), { once: true })));
    await page.locator('mner-text').evaluate((element) => element.append(' Anna'));
    const { text, entities } = /** @type {any} */ (await answered);
    assert.deepEqual(entities.map(({ text }) => text), ['Rome', 'Bergen', 'Anna']);
    assert.match(text, /^Rome\n+Bergen Anna$/);
    assert.equal(await page.locator('mner-text mark').count(), 4);
    assert.equal(await page.locator('mner-text mark').first().getAttribute('title'), 'person, 91 %');
  }));

test('<mner-text> tells what went wrong', () =>
  open('mner-text.html', async (page) => {
    const said = await page.evaluate(async () => {
      const element = document.createElement('mner-text');
      element.setAttribute('model', '../models/nowhere/');
      element.textContent = 'in Oslo';
      const error = new Promise((done) => element.addEventListener('mner-error', (event) => done(/** @type {CustomEvent} */ (event).detail.code)));
      document.body.append(element);
      return error;
    });
    assert.equal(said, 'not-found');
  }));
