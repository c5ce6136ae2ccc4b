/** Drags that bring no file: real ones, as the browser itself takes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, example, lookedAt, madeUpModels, shows, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();
const site = { models: { ham: madeUpModels().ham } };
const LINK = 'http://localhost:9/elsewhere';

/** Drags data of several types onto the middle of what `selector` finds, and drops it there. */
async function drag(page, selector, data) {
  const session = await page.context().newCDPSession(page);
  const { x, y, width, height } = await page.locator(selector).boundingBox();
  const items = Object.entries(data).map(([mimeType, data]) => ({ mimeType, data, baseURL: 'http://localhost:9/' }));
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await session.send('Input.dispatchDragEvent', {
      type,
      x: x + width / 2,
      y: y + height / 2,
      data: { items, dragOperationsMask: 1 },
    });
  }
  await session.detach();
}

const link = { 'text/uri-list': LINK, 'text/html': `<a href="${LINK}">a link</a>`, 'text/plain': LINK };
const imageAt = (src, more = '') => ({ 'text/uri-list': src, 'text/html': `${more}<img alt="" src="${src}">` });

/** Whether the page has asked the browser to go somewhere since. */
function watchLeaving(page) {
  const left = [];
  page.on('request', (request) => request.isNavigationRequest() && left.push(request.url()));
  return left;
}

test('a link or text that is dropped outside of the field does not take the place of the page, and is told apart', () =>
  visit(shared, site, async (page) => {
    await enter(page, 'In Oslo');
    const left = watchLeaving(page);
    const text = { 'text/html': '<p>in <b>Rome</b></p>', 'text/plain': 'in Rome' };
    for (const [place, data] of /** @type {const} */ ([['h1', link], ['#choose', link], ['#user-names', text]])) {
      await drag(page, place, data);
      await shows(page, 'image-problem');
      assert.match(await page.locator('#image-problem').innerText(), /^Only pictures and text files can be dropped here/);
      await page.locator('#image-problem').evaluate((problem) => problem.setAttribute('hidden', ''));
    }
    assert.equal(await page.locator('#tweet').inputValue(), 'In Oslo');
    assert.deepEqual(left, []);
  }));

test('a link and a text can be dropped into the field', () =>
  visit(shared, site, async (page) => {
    await shows(page, 'empty');
    const left = watchLeaving(page);
    await drag(page, '#tweet', link);
    await page.waitForFunction((link) => document.querySelector('textarea').value === link, LINK);
    await page.locator('#tweet').fill('');
    await drag(page, '#tweet', { 'text/plain': 'in Oslo' });
    await page.waitForFunction(() => document.querySelector('textarea').value === 'in Oslo');
    // And nowhere else.
    await drag(page, 'h1', { 'text/plain': 'https://example.org/' });
    await page.locator('#marked a').waitFor();
    assert.deepEqual(left, []);
    assert.equal(await page.locator('#image-problem').isVisible(), false);
  }));

test('an image of another tab comes in where its bytes are there', () =>
  visit(shared, site, async (page, { url }) => {
    await enter(page, 'In Oslo');
    const left = watchLeaving(page);
    const data = `data:image/webp;base64,${example('rocket').toString('base64')}`;
    await drag(page, 'h1', imageAt(data, '<meta charset="utf-8">'));
    await lookedAt(page);
    assert.equal(await page.locator('.image-size').innerText(), '576 × 360');
    await page.locator('.remove').click();
    await page.locator('#seen').waitFor({ state: 'hidden' });
    // Of this site: a link around it is not what was dragged.
    await drag(page, 'h1', imageAt(`${url}examples/desert.webp`, `<a href="${LINK}">`));
    await lookedAt(page);
    assert.equal(await page.locator('.image-name').innerText(), 'desert.webp');
    assert.deepEqual(left, []);
  }));

test('an image comes in whatever its address looks like', () =>
  visit(shared, site, async (page, { url }) => {
    await enter(page, 'In Oslo');
    const left = watchLeaving(page);
    await page.route(({ href }) => href.endsWith('/100%.webp'), (route) => route.fulfill({ contentType: 'image/webp', body: example('rocket') }));
    await drag(page, 'h1', imageAt(`${url}examples/100%.webp`));
    await lookedAt(page);
    assert.equal(await page.locator('.image-name').innerText(), '100%.webp');
    await page.locator('.remove').click();
    await page.locator('#seen').waitFor({ state: 'hidden' });
    // Without base64, each byte that is no letter is an escape.
    const bytes = [...example('rocket')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`);
    await drag(page, 'h1', imageAt(`data:image/webp,${bytes.join('')}`));
    await lookedAt(page);
    assert.deepEqual(left, []);
  }));

test('an image of another site is not asked for, and how it can come in is said', () =>
  visit(shared, site, async (page, { url }) => {
    await enter(page, 'In Oslo');
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    for (const [src, words] of [
      ['https://images.example/a.jpg', /^That picture is on images\.example, .* Copy it and paste it here, or save it and drop the file\.$/],
      [`${url}examples/none.webp`, /^The picture at .*none\.webp cannot be fetched\. Save it/],
      ['data:image/png;base64,%%%', /^That picture is damaged/],
      ['data:image/png', /^That picture is damaged/],
      ['data:image/png;base64,bm9uZQ==', /^The picture is not a picture this page can read/],
    ]) {
      await drag(page, 'h1', imageAt(src));
      await page.locator('#image-problem', { hasText: words }).waitFor();
    }
    assert.deepEqual(asked.filter((one) => !one.startsWith('blob:')), [`${url}examples/none.webp`]);
  }));
