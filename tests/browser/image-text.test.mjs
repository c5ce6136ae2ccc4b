/** The text in images on the page: on the stub engine, which reads what an image's file says at its end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCHEMES, accessibilityViolations, enter, hand, lookedAt, madeUpModels, madeUpOcr, saying, shows, visit, withBrowser, withoutImages } from './harness.mjs';

const shared = withBrowser();
const models = madeUpModels();
const ocr = madeUpOcr();
const site = { models: { ham: models.ham }, ocr };
const WEIGHTS = 'models/ocr/ocr.bpk';
const offers = (page) => page.locator('.offer button');
const texts = (page) => page.locator('#written-list > li');
const lines = (page) => page.locator('.lines .marked');

/** Reads the text in the tweet's image number `i`, and waits for what comes of it. */
async function read(page, i = 0) {
  await offers(page).nth(i).click();
  await page.waitForFunction((name) => {
    const one = [...document.querySelectorAll('#written-list > li')].find((item) => item.querySelector('h3').textContent === name);
    return one && [...one.querySelectorAll('.lines, [role=alert], h3 ~ .quiet')].some((part) => part.checkVisibility());
  }, await page.locator('.image-name').nth(i).innerText());
}

test('offers to read an image, with what that fetches, and asks the server for nothing before', () =>
  visit(shared, site, async (page, { requests }) => {
    const asked = () => requests.filter((path) => path.startsWith('models/ocr/'));
    await enter(page, 'In Oslo');
    assert.deepEqual([asked(), await offers(page).count()], [[], 0]);
    await hand(page, 'drop', saying('Out of Rome'));
    await offers(page).waitFor();
    await lookedAt(page);
    assert.deepEqual(asked(), ['models/ocr/manifest.json']);
    assert.equal(await page.locator('.offer').innerText(), 'Read the text in the picture\nfetches 0.8 MB the first time');
    assert.equal(await offers(page).getAttribute('aria-label'), 'Read the text in the picture photo.webp');
    assert.equal(await page.locator('#written').isVisible(), false);
  }));

test('shows the lines on the image, their text with its names, and where a name stands', () =>
  visit(shared, { ...site, context: { permissions: ['clipboard-read', 'clipboard-write'] } }, async (page, { requests }) => {
    await enter(page, 'In Oslo');
    await hand(page, 'drop', saying('Sunita Williams\nlives in Oslo'));
    await read(page);
    assert.equal(await page.locator('#written-title').innerText(), 'Text in the picture');
    assert.equal(await texts(page).locator('h3').innerText(), 'photo.webp');
    assert.equal(await lines(page).textContent(), 'Sunita Williams\nlives in Oslo');
    assert.deepEqual(await lines(page).locator('mark').allInnerTexts(), ['Sunita', 'Williams', 'Oslo']);
    assert.deepEqual(await page.locator('.lines summary').allInnerTexts(), ['organisation\nSunita\n91\u00a0%', 'person\nWilliams\n91\u00a0%', 'person\nOslo\n91\u00a0%']);
    assert.match(await page.locator('#live').innerText(), /^2 lines of text read\. 3 names found: Sunita, organisation; /);
    assert.match(await page.locator('.lines .run').innerText(), /^Read in [\d,]+.ms, computed on the CPU\. .*Model: HamLearning · ham/);
    assert.equal(await page.locator('.offer').innerText(), 'Read the text in the picture');

    // The stub's image has 400 by 200 pixels.
    const [image, ...boxes] = await Promise.all(['.lines img', '.lines .box >> nth=0', '.lines .box >> nth=1'].map((one) => page.locator(one).boundingBox()));
    const near = (a, b) => assert.ok(Math.abs(a - b) < 1.5, `${a} is not ${b}`);
    // Frames are 2 pixels thick and lie around the text.
    near(boxes[0].x + 2, image.x);
    near(boxes[0].width - 4, (150 / 400) * image.width);
    near(boxes[1].y + 2, image.y + (30 / 200) * image.height);
    near(boxes[1].height - 4, (20 / 200) * image.height);

    await lines(page).locator('a').nth(2).focus();
    await page.keyboard.press('Enter');
    const name = page.locator('.lines .box.attended');
    await name.waitFor();
    assert.equal(await page.locator('.lines .box.faint').count(), 2);
    near((await name.boundingBox()).x + 2, image.x + (90 / 400) * image.width);
    assert.equal(await lines(page).locator('a.chosen').innerText(), 'Oslo');
    assert.match(await page.locator('.lines details[open] p').innerText(), /Characters 25 to 29 of the text\.$/);
    await page.keyboard.press('Enter');
    await name.waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Copy the text' }).click();
    await page.locator('.lines button', { hasText: 'Copied' }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'Sunita Williams\nlives in Oslo');

    // It is read once, however often it is asked for, and stays while the tweet changes.
    await offers(page).click();
    await enter(page, 'In Rome');
    assert.equal(await lines(page).textContent(), 'Sunita Williams\nlives in Oslo');
    assert.equal(requests.filter((path) => path === WEIGHTS).length, 1);
  }));

test('says that nothing is written in an image', () =>
  visit(shared, site, async (page) => {
    await shows(page, 'empty');
    await hand(page, 'drop');
    await read(page);
    assert.equal(await texts(page).innerText(), 'photo.webp\n\nNothing is written in it.');
    assert.equal(await page.locator('#live').innerText(), 'Nothing is written in it.');
  }));

test('shows how far the reader is fetched', () => {
  let release;
  const intercept = (path, request, response) => {
    if (path !== WEIGHTS) return false;
    response.writeHead(200, { 'content-length': 800_000 });
    response.write(ocr['ocr.bpk'].subarray(0, 400_000));
    release = () => response.end(ocr['ocr.bpk'].subarray(400_000));
    return true;
  };
  return visit(shared, { ...site, intercept }, async (page) => {
    await shows(page, 'empty');
    await hand(page, 'drop', saying('In Oslo'));
    await offers(page).click();
    await page.getByText('0.4 of 0.8 MB').waitFor();
    assert.equal(await page.getByLabel('Fetching the text reader').getAttribute('value'), '0.5');
    assert.deepEqual(await accessibilityViolations(page), []);
    release();
    await lines(page).waitFor();
  });
});

test('says what went wrong, and reads it when asked again', () => {
  let missing = true;
  const intercept = (path, request, response) => {
    if (path !== WEIGHTS || !missing) return false;
    response.writeHead(404).end();
    return true;
  };
  return visit(shared, { ...site, intercept }, async (page) => {
    await enter(page, 'In Oslo');
    await hand(page, 'drop', saying('Out of Rome'));
    await read(page);
    assert.match(await texts(page).locator('[role=alert]').innerText(), /^The text in the picture could not be read\.\s+A file is missing on the server\.\s+Message of the engine: There is no file at .*ocr\.bpk\./);
    assert.deepEqual(await accessibilityViolations(page), []);
    missing = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await lines(page).waitFor();
    assert.equal(await texts(page).locator('[role=alert]').isVisible(), false);
  });
});

test('an image that cannot be read has its own words, and that offline there is no reader yet', () =>
  visit(shared, site, async (page) => {
    await shows(page, 'empty');
    await hand(page, 'drop', saying('broken', 'a.webp'), saying('In Oslo', 'b.webp'));
    await read(page, 0);
    assert.match(await texts(page).innerText(), /Message of the engine: the file ends before its image does/);
    await withoutImages(page);
    await page.reload();
    await shows(page, 'empty');
    await hand(page, 'drop', saying('In Oslo'));
    await offers(page).waitFor();
    await page.evaluate(() => caches.delete('mner-models-v1'));
    await page.context().setOffline(true);
    await read(page);
    assert.match(await texts(page).innerText(), /The text reader is not on your device yet/);
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Try again' }).click();
    await lines(page).waitFor();
  }));

test('each of four images has its text, in their order, and what is removed takes its own away', () =>
  visit(shared, site, async (page) => {
    await enter(page, 'Jordan in Oslo');
    await hand(page, 'drop', ...['Bonn', 'Rome', 'Lima', 'Kyiv'].map((name, i) => saying(`In ${name}`, `${i}.webp`)));
    const shown = () => texts(page).evaluateAll((all) => all.map((one) => one.querySelector('h3').textContent + one.querySelector('.marked').textContent));
    await read(page, 2);
    await read(page, 0);
    assert.deepEqual(await shown(), ['0.webpIn Bonn', '2.webpIn Lima']);
    assert.equal(await page.locator('#written-title').innerText(), 'Text in the pictures');
    await read(page, 3);
    await read(page, 1);
    assert.deepEqual(await shown(), ['0.webpIn Bonn', '1.webpIn Rome', '2.webpIn Lima', '3.webpIn Kyiv']);
    assert.deepEqual(await accessibilityViolations(page), []);
    await page.getByRole('button', { name: 'Remove the picture 1.webp' }).focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Remove the picture 2.webp');
    assert.deepEqual(await shown(), ['0.webpIn Bonn', '2.webpIn Lima', '3.webpIn Kyiv']);
    await withoutImages(page);
    assert.equal(await page.locator('#written').isVisible(), false);
    // One that is given again is read anew.
    await hand(page, 'drop', saying('In Bonn', '0.webp'));
    await offers(page).waitFor();
    assert.equal(await texts(page).count(), 0);
  }));

test('an image that goes while it is read leaves nothing behind', () =>
  visit(shared, site, async (page) => {
    const failed = [];
    page.on('pageerror', (error) => failed.push(error.message));
    await shows(page, 'empty');
    await hand(page, 'drop', saying('slowly In Oslo'));
    await offers(page).click();
    await page.getByText('Reading the text in the picture').last().waitFor();
    await page.locator('.remove').click();
    assert.equal(await page.locator('#written').isVisible(), false);
    await hand(page, 'drop', saying('In Rome'));
    await read(page);
    assert.deepEqual([await lines(page).allTextContents(), failed], [['In Rome'], []]);
  }));

test('works with the keyboard alone, without a tweet, and with a model that reads no images', () =>
  visit(shared, { models: { plain: models.plain }, ocr }, async (page) => {
    await shows(page, 'empty');
    await hand(page, 'drop', saying('In Oslo'));
    await offers(page).waitFor();
    while ((await page.evaluate(() => document.activeElement.ariaLabel)) !== 'Read the text in the picture photo.webp') await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await lines(page).waitFor();
    assert.deepEqual(await lines(page).locator('mark').allInnerTexts(), ['In', 'Oslo']);
    assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Read the text in the picture photo.webp');
  }));

test('another model names the names in it again; user names are left out as in the tweet', () =>
  visit(shared, { models: { ham: models.ham, words: models.words }, ocr }, async (page) => {
    await enter(page, 'In Oslo');
    await hand(page, 'drop', saying('In Oslo with @Jane'));
    await read(page);
    assert.equal(await lines(page).locator('mark').count(), 3);
    await page.getByLabel('Names in @mentions').uncheck();
    assert.deepEqual(await lines(page).locator('mark').allInnerTexts(), ['In', 'Oslo']);
    assert.match(await page.locator('.lines .run').innerText(), /Model: HamLearning/);
    await page.locator('#model-choice').selectOption('words');
    await page.locator('.lines .run', { hasText: 'Model: ITA' }).waitFor();
    assert.deepEqual(await lines(page).locator('mark').allInnerTexts(), ['In', 'Oslo']);
  }));

test('a site without a reader offers nothing', () =>
  visit(shared, { models: site.models }, async (page, { requests }) => {
    await enter(page, 'In Oslo');
    await hand(page, 'drop');
    await lookedAt(page);
    assert.equal(await offers(page).isVisible(), false);
    assert.deepEqual(requests.filter((path) => path.startsWith('models/ocr/')), ['models/ocr/manifest.json']);
  }));

test('speaks the language that is chosen', () =>
  visit(shared, { ...site, context: { locale: 'de-DE' } }, async (page) => {
    await shows(page, 'empty');
    await hand(page, 'drop', saying('In Oslo\nund Rom'), saying('', 'leer.webp'));
    await offers(page).first().waitFor();
    assert.equal(await page.locator('.offer').first().innerText(), 'Text im Bild lesen\nlädt beim ersten Mal 0,8 MB');
    await read(page, 0);
    assert.match(await page.locator('#live').innerText(), /^2 Zeilen Text gelesen\. 3 Namen gefunden: /);
    await read(page, 1);
    await page.locator('#written-list').getByText('Darin steht kein Text.').last().waitFor();
    await page.getByLabel('Sprache').selectOption('es');
    await page.getByText('Texto de las imágenes').waitFor();
    assert.deepEqual(await offers(page).allInnerTexts(), ['Leer el texto de la imagen', 'Leer el texto de la imagen']);
    assert.equal(await offers(page).first().getAttribute('aria-label'), 'Leer el texto de la imagen photo.webp');
    await page.locator('#written-list').getByText('No hay nada escrito en ella.').last().waitFor();
    assert.match(await page.locator('.lines summary').first().innerText(), /^(lugar|persona|organización|otro nombre)\n/);
  }));

for (const colorScheme of SCHEMES) {
  test(`breaks no accessibility rule and fits a phone (${colorScheme})`, () =>
    visit(shared, { ...site, context: { colorScheme, reducedMotion: 'reduce', viewport: { width: 360, height: 740 } } }, async (page) => {
      await enter(page, 'Jordan in Oslo');
      await hand(page, 'drop', saying(`Oslo Paris Sunita Someone\n${'Llanfair'.repeat(12)}`), saying('', `${'long'.repeat(30)}.webp`));
      await read(page, 0);
      await read(page, 1);
      await lines(page).first().locator('a').first().click();
      assert.deepEqual(await accessibilityViolations(page), []);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    }));
}

test('what is written in the first image is read after the tweet by a model that reads words, and can be edited', () =>
  visit(shared, { models: { words: models.words, ham: models.ham }, ocr }, async (page) => {
    const field = page.getByLabel('Text in the picture optional');
    const surest = (text) => page.waitForFunction((text) => document.querySelector('#names').textContent.includes(text), text);
    await enter(page, 'In Oslo');
    await hand(page, 'drop', saying('Out of\nRome'));
    await lookedAt(page);
    await read(page);
    assert.equal(await field.inputValue(), 'Out of Rome');
    await surest('81');
    assert.match(await page.locator('#difference').innerText(), /Without the picture and the words about it/);
    await field.fill('');
    await surest('96');
    // Another image beside it says nothing about the one that is read.
    await hand(page, 'drop', saying('Milan'));
    await read(page, 1);
    assert.equal(await field.inputValue(), '');
    // Read again by another model, it leaves alone what somebody wrote.
    await field.fill('Out of Lima');
    await page.locator('#model-choice').selectOption('ham');
    await field.waitFor({ state: 'hidden' });
    await page.locator('#model-choice').selectOption('words');
    await surest('81');
    assert.equal(await field.inputValue(), 'Out of Lima');
  }));
