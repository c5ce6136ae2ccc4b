/** The words of the page: complete in every language, nowhere else, and those of the language that is chosen. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Linter } from 'eslint';
import de from '../../www/wording/de.js';
import en from '../../www/wording/en.js';
import es from '../../www/wording/es.js';
import { accessibilityViolations, enter, hand, lookedAt, madeUpModels, madeUpOcr, saying, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const site = { models: madeUpModels(), ocr: madeUpOcr() };
const WWW = new URL('../../www/', import.meta.url).pathname;
/** @type {Record<string, Record<string, string | Record<string, string>>>} */
const LANGUAGES = { en, de, es };
/** The module, its Worker and its example: what they say is for programs, in English. */
const MODULE = ['mner', 'worker', 'download', 'errors', 'webgpu', 'image-file', 'sw', 'example', 'bundle-url', 'engines', 'in-order', 'kept-files', 'platform', 'remote-fetch', 'worker-calls', 'given-image', 'name-bounds'].map((name) => `${name}.js`);
const scripts = Object.fromEntries(
  readdirSync(WWW)
    .filter((name) => name.endsWith('.js') && !MODULE.includes(name))
    .map((name) => [name, readFileSync(WWW + name, 'utf8')]),
);
const html = readFileSync(`${WWW}index.html`, 'utf8').replace(/<!--[^]*?-->/g, '');

const forms = (entry) => (typeof entry === 'string' ? { other: entry } : entry);
const places = (pattern) => [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);

for (const [language, words] of Object.entries(LANGUAGES)) {
  test(`every key has its words, plural forms and places (${language})`, () => {
    assert.deepEqual(Object.keys(words), Object.keys(en));
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted();
    for (const [key, entry] of Object.entries(words)) {
      const wanted = places(forms(en[key]).other).toSorted();
      assert.equal(typeof entry, typeof en[key], key);
      if (typeof entry === 'object') assert.deepEqual(Object.keys(entry).toSorted(), categories, key);
      assert.deepEqual(places(forms(entry).other).toSorted(), wanted, key);
      for (const pattern of Object.values(forms(entry))) {
        assert.ok(pattern.trim() === pattern && pattern !== '', key);
        // "One name found" needs no number.
        for (const place of places(pattern)) assert.ok(wanted.includes(place), `${key}: {${place}}`);
        assert.ok(!/[{}]/.test(pattern.replace(/\{\w+\}/g, '')), key);
      }
    }
  });
}

test('every other language is translated', () => {
  // Names, signs, and words that are the same in both.
  const same = /^(system\.(hamlearning|mgcmt|ita)|format\.(?!icon|video).*|percent.*|milliseconds|megabytes|(strip|visit|live)\.name|type\.fine|example\.basketball)$/;
  const alike = { de: ['relevance.high', 'difference.name'], es: ['kind.animal', 'kind.festival', 'kind.software'] };
  for (const language of ['de', 'es']) {
    const left = Object.keys(en).filter((key) => JSON.stringify(en[key]) === JSON.stringify(LANGUAGES[language][key]) && !same.test(key));
    assert.deepEqual(left.toSorted(), alike[language].toSorted());
  }
});

test('every key is used, and every key in the HTML is one', () => {
  const source = html + Object.values(scripts).join('');
  const begun = [...source.matchAll(/`([a-z-]+\.)\$\{/g)].map(([, begin]) => begin);
  const unused = Object.keys(en).filter((key) => !source.includes(`'${key}'`) && !source.includes(`"${key}"`) && !begun.some((begin) => key.startsWith(begin)));
  // For the HTML, whose text a test below compares.
  assert.deepEqual(unused, ['no-script']);
  for (const [, key] of html.matchAll(/data-say(?:-[a-z-]+)?="([^"]*)"/g)) assert.ok(Object.hasOwn(en, key), key);
});

test('the HTML holds no words but those that are read without JavaScript', () => {
  const texts = html.replace(/<code[^]*?<\/code>/g, '').split(/<[^>]*>/).map((text) => text.trim()).filter((text) => /\p{L}/u.test(text));
  assert.deepEqual(texts, [en.title, 'mner', 'CC0', ...Object.values(LANGUAGES).map((words) => words['no-script'])]);
  assert.deepEqual([...html.matchAll(/(?:^|\s)(?:alt|title|placeholder|aria-label)="([^"]+)"/g)].map(([, words]) => words), []);
  assert.equal(/name="description"\s+content="([^"]*)"/.exec(html)[1], en.description);
  const manifest = JSON.parse(readFileSync(`${WWW}mner.webmanifest`, 'utf8'));
  assert.deepEqual([manifest.name, manifest.description], [en.title, en.description]);
});

/** Strings of a script that look like words to be read: two words with a blank between them, or one with a capital. */
function wordsIn(name, code) {
  const found = [];
  const rule = {
    create: () => {
      const look = (node, text) => {
        const { parent } = node;
        const property = parent.type === 'Property' ? parent.key.name : undefined;
        // What only a developer reads, classes of the style sheet, and the tweets of the examples.
        if (/Error$|^DOMException$/.test(parent.callee?.name) || parent.callee?.object?.name === 'console') return;
        if (property === 'className' || (name === 'examples.js' && property === 'text')) return;
        if (/\p{L}{2,} \p{L}{2,}/u.test(text) || /^\p{Lu}\p{Ll}+[.:!?…]?$/u.test(text.trim())) found.push(text);
      };
      return {
        Literal: (node) => typeof node.value === 'string' && look(node, node.value),
        TemplateElement: (node) => look(node.parent, node.value.cooked),
      };
    },
  };
  const messages = new Linter().verify(code, [
    { languageOptions: { sourceType: 'module', ecmaVersion: 'latest' }, plugins: { own: { rules: { words: rule } } }, rules: { 'own/words': 'error' } },
  ]);
  assert.deepEqual(messages, []);
  return found;
}

test('scripts hold no words to be read', () => {
  assert.deepEqual(wordsIn('x.js', "say('not.one'); f('Reload'); g(`${n} names left`); throw new Error('for a developer')"), ['Reload', ' names left']);
  const found = Object.entries(scripts).flatMap(([name, code]) => wordsIn(name, code).map((text) => `${name}: ${text}`));
  // A type of data, a message to the service worker, a setting's name, and languages in their own words.
  assert.deepEqual(found.toSorted(), [
    'app.js: user names',
    'app.js: user names',
    'intake.js: Files',
    'intake.js: Files',
    'offline.js: take over',
    'wording.js: Deutsch',
    'wording.js: English',
    'wording.js: Español',
  ]);
});

/** The texts and labels that the page shows, as far as they are the page's own. */
function said(page) {
  return page.evaluate(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const all = [];
    for (let node; (node = texts.nextNode()); ) if (!node.parentElement.closest('[lang=en]:not(html), noscript, script, code')) all.push(node.textContent.trim());
    for (const node of document.querySelectorAll('[aria-label], [placeholder]')) all.push(node.getAttribute('aria-label'), node.getAttribute('placeholder'));
    return all.filter(Boolean);
  });
}

/** Everything that the page can say in a language without a place in it. */
const fixed = (words) => Object.values(words).flatMap((entry) => Object.values(forms(entry))).filter((pattern) => !pattern.includes('{'));

for (const [language, words] of Object.entries(LANGUAGES)) {
  test(`speaks the browser's language all over, breaks no accessibility rule and fits a phone (${language})`, () =>
    visit(shared, { ...site, query: '?model=ham&compare=words', context: { locale: `${language}-CH`, reducedMotion: 'reduce', viewport: { width: 360, height: 740 } } }, async (page) => {
      await shows(page, 'empty-b');
      assert.equal(await page.evaluate(() => document.documentElement.lang), language);
      const foreign = fixed(LANGUAGES[language === 'en' ? 'de' : 'en']).filter((text) => !fixed(words).includes(text));
      const native = async () => assert.deepEqual((await said(page)).filter((text) => foreign.includes(text)), []);
      await native();
      await enter(page, 'Jordan in Oslo with @Jane');
      await hand(page, 'drop', {}, saying('Oslo and Rome', 'b.webp'));
      await lookedAt(page);
      await page.locator('#strip button >> nth=1').click();
      await page.locator('#marked a').first().click();
      await page.getByRole('switch').nth(1).uncheck();
      for (const button of await page.locator('.offer button').all()) await button.click();
      await page.locator('.lines:not([hidden])').waitFor();
      await native();
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
      assert.deepEqual(await accessibilityViolations(page), []);
    }));
}

test('another language can be chosen, takes nothing away, and is remembered', () =>
  visit(shared, { models: { ham: site.models.ham }, context: { locale: 'fr-FR' } }, async (page) => {
    await enter(page, 'Jordan in Oslo');
    await hand(page, 'drop');
    await lookedAt(page);
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
    await page.getByLabel('Language').selectOption('de');
    await page.getByText('Ihr Tweet').waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
    assert.equal(await page.title(), de.title);
    assert.equal(await page.locator('#tweet').inputValue(), 'Jordan in Oslo');
    assert.equal(await page.locator('#relevance .verdict').innerText(), '0,75\nDas Modell hält das Bild für relevant.');
    assert.deepEqual(await page.locator('#names summary').allInnerTexts(), ['Person\nJordan im Bild\n96\u00a0%', 'Person\nOslo\n96\u00a0%']);
    assert.match(await page.locator('#run').innerText(), /^Gelesen in [\d.]+.ms, Bild angesehen in [\d.]+.ms, auf der CPU berechnet\. .*Modell: HamLearning · ham · 0,2 MB\.$/);
    assert.equal(await page.locator('#visit-count').innerText(), '1 Tweet bei diesem Besuch');
    assert.equal(await page.locator('.remove').getAttribute('aria-label'), 'Das Bild photo.webp entfernen');
    // What the tweet and the model say stays English.
    assert.equal(await page.locator('#marked').getAttribute('lang'), 'en');
    assert.equal(await page.locator('.box bdi').first().getAttribute('lang'), 'en');
    await page.reload();
    await page.getByLabel('Sprache').waitFor();
    await page.getByLabel('Sprache').selectOption('es');
    await page.getByText('Su tuit').waitFor();
    await enter(page, 'Oslo');
    assert.equal(await page.locator('#live').innerText(), 'Un nombre encontrado: Oslo, persona.');
  }));

test('numbers and plural forms are the language’s', () =>
  visit(shared, { ...site, query: 'icon.svg' }, async (page) => {
    const said = await page.evaluate(async () => {
      const { speak, say, percent, megabytes } = await import(new URL('wording.js', location.href).href);
      const said = [];
      for (const language of ['en', 'de', 'es']) {
        await speak(language);
        said.push([1, 2, 12_345, 1_000_000].map((count) => say('visit.images', { count })).concat([percent(0.995), percent(0.004), percent(1), megabytes(12_345_678)]));
      }
      return said;
    });
    assert.deepEqual(said, [
      ['1 picture', '2 pictures', '12,345 pictures', '1,000,000 pictures', '>99\u00a0%', '<1\u00a0%', '100\u00a0%', '12.3'],
      ['1 Bild', '2 Bilder', '12.345 Bilder', '1.000.000 Bilder', '>99\u00a0%', '<1\u00a0%', '100\u00a0%', '12,3'],
      ['1 imagen', '2 imágenes', '12.345 imágenes', '1.000.000 de imágenes', '>99\u00a0%', '<1\u00a0%', '100\u00a0%', '12,3'],
    ]);
  }));

test('what the engine says stays English, is marked so, and the page says what it means', () => {
  const intercept = (path, request, response) => {
    if (path !== 'models/ham/weights.bpk') return false;
    response.writeHead(404).end();
    return true;
  };
  return visit(shared, { ...site, intercept, context: { locale: 'de-DE' } }, async (page) => {
    await shows(page, 'failure');
    assert.match(await page.locator('#failure').innerText(), /^Das Modell konnte nicht geladen werden\.\s+Auf dem Server fehlt eine Datei\.\s+Meldung der Engine \(auf Englisch\): There is no file at .*weights\.bpk\.\s+Noch einmal versuchen$/);
    assert.match(await page.locator('#failure-text [lang=en]').innerText(), /^There is no file/);
    await page.getByLabel('Sprache').selectOption('es');
    await page.getByText('Mensaje del motor (en inglés): There is no file').waitFor();
    assert.match(await page.locator('#failure').innerText(), /^No se pudo cargar el modelo\.\s+Falta un archivo en el servidor\./);
  });
});
