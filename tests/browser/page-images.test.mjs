/** Images: how they come in, and what the page shows of what a model made of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { pngOf } from './marked.mjs';
import { SCHEMES, accessibilityViolations, enter, example, hand, lookedAt, madeUpModels, shows, visit, withBrowser, withoutImages } from './harness.mjs';

const shared = withBrowser();
const models = madeUpModels();
const only = (name) => ({ models: { [name]: models[name] } });

/** A PNG that claims to be larger than anything a page should paint. */
function bomb(width, height) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0], 8);
  const rows = deflateSync(Buffer.alloc(Math.ceil(width / 8) + 1));
  return pngOf([['IHDR', header], ['IDAT', rows], ['IEND', Buffer.alloc(0)]]);
}

test('every example comes with its image, and the marks cut names out of its tweet', () =>
  visit(shared, only('ham'), async (page) => {
    await shows(page, 'empty');
    const examples = page.locator('#examples button');
    assert.ok((await examples.count()) >= 4);
    for (const button of await examples.all()) {
      const before = await page.locator('#shown-image').getAttribute('src');
      await button.click();
      await page.waitForFunction((before) => document.querySelector('#shown-image').getAttribute('src') !== before, before);
      await lookedAt(page);
      const text = await page.locator('#tweet').inputValue();
      assert.equal(await page.locator('#marked').textContent(), text);
      const names = await page.locator('#marked a > span').allTextContents();
      assert.ok(names.length > 0 && names.every((name) => text.includes(name)));
      assert.match(await page.locator('#shown-image').getAttribute('alt'), /^Drawing: /);
      assert.ok(await page.locator('#shown-image').evaluate((/** @type {HTMLImageElement} */ image) => image.complete && image.naturalWidth > 0));
    }
  }));

/** @type {('paste' | 'drop')[]} */
const WAYS = ['paste', 'drop'];
for (const event of WAYS) {
  test(`an image can be given by ${event}`, () =>
    visit(shared, only('ham'), async (page) => {
      await enter(page, 'In Oslo');
      await hand(page, event);
      await lookedAt(page);
      assert.equal(await page.locator('.image-name').innerText(), 'photo.webp');
      assert.equal(await page.locator('.image-size').innerText(), '576 × 360');
      assert.deepEqual(await page.locator('#boxes .box').allInnerTexts(), ['person 93\u00a0%', 'sports ball 48\u00a0%']);
      assert.equal(await page.locator('body.dropping').count(), 0);
    }));
}

test('a name that the image shows is marked, and every name says how likely that is', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'Jordan in Oslo');
    assert.equal(await page.locator('#names .shown').count(), 0);
    await hand(page, 'drop');
    await lookedAt(page);
    assert.deepEqual(await page.locator('#names summary:has(.shown) .text').allInnerTexts(), ['Jordan']);
    assert.equal(await page.locator('#names .shown').innerText(), 'in the picture');
    const said = await page.locator('#names details p').allTextContents();
    assert.match(said[0], /^Seen in the picture: 83\u00a0%\. Next likeliest/);
    assert.match(said[1], /^Seen in the picture: 21\u00a0%\./);
  }));

test('a file that is pasted with its name, as file managers do, is an image', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'In Oslo');
    for (const text of ['photo.webp', '/home/me/photo.webp', 'C:\\me\\photo.webp']) {
      await hand(page, 'paste', { text });
      await lookedAt(page);
      await withoutImages(page);
    }
    assert.equal(await page.locator('#tweet').inputValue(), 'In Oslo');
  }));

test('text that is pasted together with an image wins', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'In Oslo');
    await hand(page, 'paste', { text: 'a table' });
    assert.equal(await page.locator('#images').isVisible(), false);
  }));

test('an image can be chosen and removed with the keyboard alone', () =>
  visit(shared, only('ham'), async (page) => {
    // Early, for it takes the browser a moment to hand its dialogs over.
    const chooser = page.waitForEvent('filechooser');
    await enter(page, 'In Oslo');
    await page.locator('#choose').focus();
    await page.keyboard.press('Enter');
    await (await chooser).setFiles({ name: 'mine.webp', mimeType: 'image/webp', buffer: example('desert') });
    await lookedAt(page);
    await page.locator('.remove').focus();
    await page.keyboard.press('Enter');
    await page.locator('#seen').waitFor({ state: 'hidden' });
    assert.equal(await page.locator('#contribution').isVisible(), false);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'choose');
    assert.deepEqual(await page.locator('#marked mark').allInnerTexts(), ['In', 'Oslo']);
  }));

test('shows the relevance, what the image changed, and that it is looked at once', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'Jordan in Oslo');
    await hand(page, 'paste');
    await lookedAt(page);
    assert.equal(await page.locator('#relevance .verdict').innerText(), '0.75\nThe model takes the picture as relevant.');
    assert.match(await page.locator('#live').innerText(), /^2 names found: .*\. The model takes the picture as relevant\.$/);
    // The grain that is absent is not listed.
    assert.equal(await page.locator('#relevance li').count(), 3);
    assert.deepEqual(await page.locator('#difference tbody tr').allInnerTexts(), ['Jordan\torganisation 91\u00a0%\tperson 96\u00a0%']);
    assert.match(await page.locator('#run').innerText(), /picture looked at in [\d,]+.ms/);
    await enter(page, 'Jane in Oslo');
    await lookedAt(page);
    assert.match(await page.locator('#run').innerText(), /picture already looked at/);
    await enter(page, 'in Oslo');
    await lookedAt(page);
    assert.match(await page.locator('#difference').innerText(), /same names\. “Oslo” moved most, from 91.% to 96.%/);
  }));

test('what the image changed comes first, that it changed nothing last', () =>
  visit(shared, only('ham'), async (page) => {
    const order = () => page.locator('#contribution > *').evaluateAll((parts) => parts.map(({ id }) => id));
    await enter(page, 'Jordan in Oslo');
    await hand(page, 'paste');
    await lookedAt(page);
    assert.deepEqual(await order(), ['difference', 'relevance', 'tags']);
    await enter(page, 'in Oslo');
    await page.getByText('the same names').waitFor();
    assert.deepEqual(await order(), ['relevance', 'tags', 'difference']);
    await enter(page, 'Jordan and Oslo');
    await page.locator('#difference table').waitFor();
    assert.deepEqual(await order(), ['difference', 'relevance', 'tags']);
  }));

for (const [model, before] of Object.entries({ ham: /^Seen in it: /, words: /^Read after the tweet: / })) {
  test(`shows the tags that are certain enough, or that none is (${model})`, () =>
    visit(shared, only(model), async (page) => {
      await enter(page, 'In Oslo');
      await hand(page, 'paste');
      await lookedAt(page);
      const tags = () => page.locator('#tags').innerText();
      assert.match(await tags(), before);
      // Of 40 % and of 12 %.
      assert.match(await tags(), /\(40\u00a0%\)$/);
      assert.doesNotMatch(await tags(), /missile/);
      await withoutImages(page);
      await hand(page, 'paste', { bytes: Buffer.concat([example('rocket'), Buffer.from('unsure')]) });
      await page.getByText('nothing certain').waitFor();
      assert.match(await tags(), before);
      assert.doesNotMatch(await tags(), /%/);
    }));
}

test('shows where the words of a chosen name looked', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'Jordan in Oslo');
    await hand(page, 'paste');
    await lookedAt(page);
    assert.equal(await page.locator('#heat').isVisible(), false);
    assert.match(await page.locator('#looked').innerText(), /Choose a name/);
    await page.locator('#marked a').first().focus();
    await page.keyboard.press('Enter');
    await page.locator('#heat').waitFor();
    assert.match(await page.locator('#looked').innerText(), /“Jordan” looked most at the top left \(\d+.% of their attention\), then at the person \(30.%\)/);
    // The cell with most attention is clear, the one with least is dark.
    const alpha = await page.locator('#heat').evaluate((/** @type {HTMLCanvasElement} */ canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, 7, 7);
      return Array.from({ length: 49 }, (_, cell) => data[4 * cell + 3]);
    });
    assert.equal(alpha[0], 0);
    assert.ok(alpha[48] > 200);
    assert.deepEqual(await page.locator('.box.attended').allInnerTexts(), ['person 93\u00a0%', 'sports ball 48\u00a0%']);
    await page.keyboard.press('Enter');
    await page.locator('#heat').waitFor({ state: 'hidden' });
  }));

test('frames lie on the image where the objects are', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'Oslo');
    await hand(page, 'paste');
    await lookedAt(page);
    const [image, box] = await Promise.all(['#shown-image', '.box >> nth=0'].map((one) => page.locator(one).boundingBox()));
    const near = (a, b) => assert.ok(Math.abs(a - b) < 1.5, `${a} is not ${b}`);
    near(box.x, image.x + 0.2 * image.width);
    near(box.y, image.y + 0.1 * image.height);
    near(box.width, 0.3 * image.width);
    near(box.height, 0.8 * image.height);
  }));

test('says which frame of an animation was looked at, and nothing of it for the next image', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'In Oslo');
    const note = page.locator('#image-note');
    await hand(page, 'drop', { bytes: Buffer.concat([example('rocket'), Buffer.from('fades in')]) });
    await page.getByText('Of the animation, frame 3 of 12, the first that is not of one colour, was looked at.').waitFor();
    assert.equal(await note.evaluate((node) => node.classList.contains('problem')), false);
    await hand(page, 'drop');
    await page.locator('#strip button').nth(1).click();
    await note.waitFor({ state: 'hidden' });
    await lookedAt(page);
  }));

test('a file that is no image is refused in words, and nothing is lost', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'In Oslo');
    await hand(page, 'drop', { name: 'notes.webp', bytes: Buffer.from('no image') });
    await shows(page, 'image-problem');
    assert.match(await page.locator('#image-problem').innerText(), /^notes\.webp is not a picture.*JPEG, PNG, WebP or GIF/);
    assert.equal(await page.locator('#marked mark').count(), 2);
    await hand(page, 'drop');
    await lookedAt(page);
    assert.equal(await page.locator('#image-problem').isVisible(), false);
  }));

test('an image that is too large is refused before it is painted', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'In Oslo');
    // The second is more than Chromium opens at all.
    for (const [side, words] of Object.entries({ 16_200: /bomb\.png has 16200 × 16200 pixels/, 30_000: /bomb\.png is not a picture/ })) {
      const bytes = bomb(Number(side), Number(side));
      assert.ok(bytes.length < 10_000);
      await hand(page, 'paste', { name: 'bomb.png', type: 'image/png', bytes });
      await page.getByText(words).waitFor();
      assert.equal(await page.locator('#images').isVisible(), false);
    }
  }));

test('an image that the engine refuses is left out, once, and the text is still answered', () =>
  visit(shared, only('ham'), async (page) => {
    await enter(page, 'In Oslo');
    const bytes = Buffer.concat([example('rocket'), Buffer.from('broken')]);
    await hand(page, 'paste', { bytes });
    await page.locator('#image-note.problem').waitFor();
    assert.match(await page.locator('#image-note').innerText(), /left out\. Message of the engine: the file ends before its image does/);
    assert.equal(await page.locator('#marked mark').count(), 2);
    await enter(page, 'In Rome');
    assert.equal(await page.locator('#image-note.problem').isVisible(), true);
    await withoutImages(page);
    await hand(page, 'paste');
    await lookedAt(page);
    assert.equal(await page.locator('#image-note').isVisible(), false);
  }));

test('a model that reads text alone says so of the image', () =>
  visit(shared, only('plain'), async (page) => {
    await enter(page, 'In Oslo');
    await hand(page, 'paste');
    await shows(page, 'image-note');
    assert.match(await page.locator('#image-note').innerText(), /reads text alone/);
    assert.equal(await page.locator('#seen').isVisible(), false);
  }));

test('a model without relevance shows objects and no gauge', () =>
  visit(shared, only('gates'), async (page) => {
    await enter(page, 'In Oslo');
    await hand(page, 'paste');
    await lookedAt(page);
    assert.equal(await page.locator('#boxes .box').count(), 2);
    assert.equal(await page.locator('#relevance').isVisible(), false);
    assert.equal(await page.locator('#looked').innerText(), '');
  }));

test('a model that reads captions has a field for one', () =>
  visit(shared, only('words'), async (page) => {
    await enter(page, 'In Oslo');
    await hand(page, 'paste');
    await lookedAt(page);
    await page.getByLabel('Caption').fill('a town by the sea');
    await page.waitForFunction(() => /61.%/.test(document.querySelector('#names').textContent));
    assert.match(await page.locator('#difference').innerText(), /Without the picture and the words about it/);
  }));

test('the smallest page takes an image, and says what is wrong with it', () =>
  visit(shared, { ...only('ham'), query: 'example.html' }, async (page) => {
    await page.getByText('Ready').waitFor();
    await page.getByLabel('Tweet').fill('in Oslo');
    await page.getByLabel('Picture').setInputFiles({ name: 'a.webp', mimeType: 'image/webp', buffer: example('rocket') });
    await page.getByText('"relevance"').waitFor();
    await page.getByLabel('Picture').setInputFiles({ name: 'b.webp', mimeType: 'image/webp', buffer: Buffer.from('broken') });
    await page.getByText('the file ends').waitFor();
  }));

for (const colorScheme of SCHEMES) {
  test(`breaks no accessibility rule with an image (${colorScheme})`, () =>
    visit(shared, { ...only('ham'), context: { colorScheme, reducedMotion: 'reduce' } }, async (page) => {
      await enter(page, 'Jordan in Oslo');
      await hand(page, 'paste');
      await lookedAt(page);
      assert.deepEqual(await accessibilityViolations(page), []);
      await page.locator('#marked a').first().click();
      await hand(page, 'drop', { name: 'notes.txt', bytes: Buffer.from('no') });
      await shows(page, 'image-problem');
      assert.deepEqual(await accessibilityViolations(page), []);
    }));
}

test('fits a phone with an image', () =>
  visit(shared, { ...only('ham'), context: { viewport: { width: 360, height: 740 } } }, async (page) => {
    await page.locator('#examples button').nth(1).click();
    await lookedAt(page);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
  }));
