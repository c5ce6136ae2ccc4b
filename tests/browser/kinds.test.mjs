/** Fine types: what is told of them and when, on the page and in what it copies and saves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf } from '../../www/fine-types.js';
import { toConll } from '../../www/notation.js';
import de from '../../www/wording/de.js';
import en from '../../www/wording/en.js';
import es from '../../www/wording/es.js';
import { SCHEMES, accessibilityViolations, enter, hand, lookedAt, madeUpBundle, madeUpModels, saved, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const eyes = { object_names: [], class_names: [] };
const fine = madeUpBundle({ config: { system: 'hamlearning' }, eyes, kinds: true });
const site = { models: { fine } };
const TWEET = 'Pelé of Madrid at the Arena for a Weekend with Unesco, Nothing and Lasagna';

/** The types, each coarse one before its fine ones. */
const TYPES = {
  art: 'art_other film_and_television_works magazine music written_work',
  building: 'building_other cultural_place entertainment_place sports_facility',
  event: 'event_other festival sports_event',
  location: 'city continent country location_other park road state',
  organization:
    'band company educational_institution government_agency news_agency organization_other political_party social_organization sports_league sports_team',
  other: 'animal award medical_thing ordinance website',
  person: 'actor artist athlete author businessman character coach director intellectual journalist musician person_other politician',
  product: 'brand_name_products game product_other software',
};

/** A switch of the page for the column, and the one of the whole visit. */
const column = (page, id = '#kind-column') => page.locator(id).getByRole('switch', { name: 'Fine types in CoNLL' });

async function copied(page, button) {
  await page.locator(button).click();
  await page.locator(button, { hasText: 'Copied' }).waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
}

test('the fine type is told where it is sure, else the coarse one where that is sure and says more than the type', () => {
  const told = (type, name, probability, coarse, coarse_probability) => kindOf({ type, kind: { name, probability, coarse, coarse_probability } });
  assert.equal(told('PER', 'athlete', 0.83, 'person', 0.97), 'athlete');
  assert.equal(told('PER', 'athlete', 0.6, 'person', 0.97), 'athlete');
  assert.equal(told('MISC', 'festival', 0.59, 'event', 0.6), 'event');
  assert.equal(told('MISC', 'festival', 0.59, 'event', 0.59), undefined);
  assert.equal(told('MISC', 'event_other', 0.9, 'event', 0.95), 'event');
  assert.equal(told('LOC', 'sports_facility', 0.4, 'building', 0.8), 'building');
  assert.equal(told('MISC', 'company', 0.4, 'organization', 0.8), 'organization');
  assert.equal(told('MISC', 'animal', 0.9, 'other', 0.9), 'animal');
  for (const [type, coarse] of [['PER', 'person'], ['LOC', 'location'], ['ORG', 'organization'], ['MISC', 'other']]) {
    assert.equal(told(type, `${coarse}_other`, 0.9, coarse, 0.99), undefined);
    assert.equal(told(type, 'athlete', 0.3, coarse, 0.99), undefined);
  }
  assert.equal(kindOf({ type: 'PER' }), undefined);
});

test('every language has words for every type, short and as the language writes them', () => {
  const names = Object.entries(TYPES).flatMap(([coarse, all]) => [coarse, ...all.split(' ')]);
  assert.equal(names.length, 51 + 8);
  for (const [language, words] of Object.entries({ en, de, es })) {
    const kinds = Object.entries(/** @type {Record<string, string>} */ (/** @type {unknown} */ (words))).filter(([key]) => key.startsWith('kind.'));
    assert.deepEqual(kinds.map(([key]) => key), names.map((name) => `kind.${name}`), language);
    for (const [key, word] of kinds) {
      assert.ok(word.length <= 22, `${language}: ${key}`);
      const nouns = /^(andere[rs]? )?\p{Lu}/u;
      if (language === 'de') assert.match(word, nouns, key);
      else assert.equal(word, word.toLowerCase(), key);
    }
  }
});

test('CoNLL has the column of fine types on request', () => {
  const kind = (name) => ({ kind: { name, probability: 0.2, coarse: 'art', coarse_probability: 0.3 } });
  const entities = [
    { type: 'MISC', utf16: [3, 10], ...kind('music') },
    { type: 'PER', utf16: [15, 18] },
    { type: 'LOC', utf16: [19, 22], ...kind('a b') },
  ];
  const write = (/** @type {boolean} */ kinds) => toConll('a “So What” by Ann\nUlm', /** @type {any} */ ({ entities }), kinds);
  assert.equal(write(true), 'a - - O\n“ - - O\nSo - music B-MISC\nWhat - music I-MISC\n” - - O\nby - - O\nAnn - - B-PER\nUlm - a_b B-LOC\n');
  assert.equal(write(false), 'a O\n“ O\nSo B-MISC\nWhat I-MISC\n” O\nby O\nAnn B-PER\nUlm B-LOC\n');
});

test('the page tells them with the type, and how likely they are in the details', () =>
  visit(shared, site, async (page) => {
    await enter(page, TWEET);
    assert.deepEqual(await page.locator('#names .type').allTextContents(), [
      'person athlete',
      'organisation sports team',
      'place building',
      'other name event',
      'organisation',
      'other name',
      'other name food and drink',
    ]);
    const details = await page.locator('#names details p').allTextContents();
    assert.deepEqual(
      details.map((text) => text.split(' Next likeliest')[0]),
      [
        'Fine type: athlete (83\u00a0%).',
        'Fine type: sports team (72\u00a0%).',
        'Fine type: building (88\u00a0%), most likely sports facility (41\u00a0%).',
        'Fine type: event (93\u00a0%), most likely other event (80\u00a0%).',
        'Fine type: social organisation (31\u00a0%).',
        'Fine type: game (20\u00a0%).',
        'Fine type: food and drink (90\u00a0%).',
      ],
    );
    assert.match(await page.locator('#live').innerText(), /^7 names found: Pelé, person, athlete; Madrid, organisation, sports team; .*; Unesco, organisation; /);
    assert.equal(await page.locator('#marked a').first().getAttribute('aria-label'), 'Pelé, person, athlete, 91\u00a0%');
    assert.match(await page.locator('#visit-list button').innerText(), /\nPelé \(person, athlete\), Madrid \(organisation, sports team\)/);
    await page.getByLabel('Language').selectOption('de');
    await page.getByText('Person Sport').waitFor();
    assert.deepEqual((await page.locator('#names .type').allTextContents()).slice(2, 4), ['Ort Gebäude', 'anderer Name Ereignis']);
    // A name without them, after others.
    await enter(page, 'Oslo');
    assert.equal(await page.locator('#names').getAttribute('class'), 'names');
  }));

test('what changed tells them, too', () =>
  visit(shared, site, async (page) => {
    // The stub makes a person of Javas.
    await enter(page, 'Javas');
    await hand(page, 'drop');
    await lookedAt(page);
    assert.match(await page.locator('#difference tbody').innerText(), /^Javas\tplace\s+island\s+91\u00a0%\tperson\s+island\s+96\u00a0%$/);
  }));

test('JSON has them as they are, CoNLL where it is asked for, which is remembered', () =>
  visit(shared, { ...site, context: { permissions: ['clipboard-read', 'clipboard-write'] } }, async (page) => {
    await enter(page, 'Pelé at Oslo');
    const kind = { name: 'athlete', probability: 0.83, coarse: 'person', coarse_probability: 0.97 };
    assert.deepEqual(JSON.parse(await copied(page, '#copy-json')).entities.map((entity) => entity.kind), [kind, undefined]);
    const [without, with_] = ['Pelé B-PER\nat O\nOslo B-PER\n', 'Pelé - athlete B-PER\nat - - O\nOslo - - B-PER\n'];
    assert.equal(await copied(page, '#copy-conll'), without);
    await column(page).check();
    assert.equal(await copied(page, '#copy-conll'), with_);
    const all = { list: '#visit-format', button: '#visit-download' };
    for (const where of [undefined, all]) assert.equal((await saved(page, 'conll', where)).bytes.toString(), with_);
    assert.deepEqual(JSON.parse((await saved(page, 'json')).bytes.toString()).entities[0].kind, kind);

    await page.reload();
    await enter(page, 'Pelé at Oslo');
    assert.deepEqual([await column(page).isChecked(), await column(page, '#visit-kind-column').isChecked()], [true, true]);
    // Both are one choice.
    await column(page, '#visit-kind-column').uncheck();
    assert.equal(await column(page).isChecked(), false);
    assert.equal(await copied(page, '#copy-conll'), without);
  }));

test('of a model that tells none the page is what it was', () =>
  visit(shared, { models: { fine, ...madeUpModels() }, context: { permissions: ['clipboard-read', 'clipboard-write'] } }, async (page) => {
    await enter(page, 'Pelé');
    await column(page).check();
    await page.locator('#model-choice').selectOption('ham');
    await shows(page, 'answer');
    await page.locator('#run', { hasText: 'ham' }).waitFor();
    assert.equal(await page.locator('#names').getAttribute('class'), 'names');
    assert.deepEqual(await page.locator('#names summary').allInnerTexts(), ['person\nPelé\n91\u00a0%']);
    assert.match(await page.locator('#names details p').textContent(), /^Next likeliest/);
    assert.equal(await page.locator('#live').innerText(), 'One name found: Pelé, person.');
    for (const id of ['#kind-column', '#visit-kind-column']) assert.equal(await page.locator(id).isVisible(), false, id);
    assert.equal(await copied(page, '#copy-conll'), 'Pelé B-PER\n');
  }));

for (const colorScheme of SCHEMES) {
  test(`fits a phone and breaks no accessibility rule (${colorScheme})`, () =>
    visit(shared, { ...site, context: { colorScheme, reducedMotion: 'reduce', locale: 'de-DE', viewport: { width: 360, height: 740 } } }, async (page) => {
      await enter(page, TWEET);
      await page.locator('#marked a').first().click();
      for (const width of [320, 390, 1280]) {
        await page.setViewportSize({ width, height: 740 });
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width);
        // What a line has lies side by side, or one below the other.
        const overlaps = await page.locator('#names summary').evaluateAll((all) =>
          all.flatMap((one) => {
            const parts = ['.type', '.text', '.shown', '.confidence'].flatMap((part) => one.querySelector(part)?.getBoundingClientRect() ?? []);
            const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
            return parts.some((a, i) => parts.slice(i + 1).some((b) => meet(a, b))) ? one.textContent : [];
          }),
        );
        assert.deepEqual(overlaps, []);
        assert.deepEqual(await accessibilityViolations(page), []);
      }
    }));
}
