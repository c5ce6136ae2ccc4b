/** Formats of images: what the engine decodes, what the browser decodes for it, and what neither does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, hand, lookedAt, madeUpModels, shows, visit, withBrowser, withoutImages } from './harness.mjs';
import { BLOCK, CORNERS, MARKED, avif, bmp, exif, webp } from './marked.mjs';

const shared = withBrowser();
const site = { models: { ham: madeUpModels().ham } };

/** Where the shown image is magenta and where the frame around the engine's mark is, in shares of the image. */
function marks(page) {
  return page.evaluate(() => {
    const shown = /** @type {HTMLImageElement} */ (document.querySelector('#shown-image'));
    const { naturalWidth: width, naturalHeight: height } = shown;
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.drawImage(shown, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const places = Array.from({ length: width * height }, (_, i) => i).filter((i) => data[4 * i] > 220 && data[4 * i + 1] < 60);
    const [x, y] = [places.map((i) => i % width), places.map((i) => Math.floor(i / width))];
    const seen = [Math.min(...x), Math.min(...y), Math.max(...x) + 1, Math.max(...y) + 1];
    const image = shown.getBoundingClientRect();
    const box = document.querySelector('#boxes .box').getBoundingClientRect();
    const share = (value, from, size) => (value - from) / size;
    return {
      size: [width, height],
      seen: seen.map((value, i) => value / (i % 2 ? height : width)),
      framed: [
        share(box.left, image.left, image.width),
        share(box.top, image.top, image.height),
        share(box.right, image.left, image.width),
        share(box.bottom, image.top, image.height),
      ],
    };
  });
}

/** The box, in shares of an image of this size, of a block that lies in a corner. */
function blockIn(corner, size) {
  const [width, height] = size;
  const [left, top] = [corner.endsWith('left') ? 0 : width - BLOCK, corner.startsWith('top') ? 0 : height - BLOCK];
  return [left / width, top / height, (left + BLOCK) / width, (top + BLOCK) / height];
}

/** To a pixel. */
function near(a, b, what) {
  a.forEach((value, i) => assert.ok(Math.abs(value - b[i]) < 0.04, `${what}: ${a} is not ${b}`));
}

for (const format of Object.keys(MARKED)) {
  test(`a ${format} lies as its EXIF says, and frames lie on what they mark`, () =>
    visit(shared, site, async (page) => {
      await enter(page, 'In Oslo');
      for (const [orientation, corner] of Object.entries(CORNERS)) {
        const bytes = MARKED[format](Number(orientation));
        await withoutImages(page);
        await hand(page, 'drop', { name: `${orientation}.${format}`, type: `image/${format}`, bytes });
        await page.getByText(`${orientation}.${format}`, { exact: true }).waitFor();
        await page.locator('#frame:not(.looking) .box').waitFor();
        const { size, seen, framed } = await marks(page);
        const what = `${format} ${orientation}`;
        assert.deepEqual(size, Number(orientation) > 4 ? [32, 48] : [48, 32], what);
        assert.equal(await page.locator('.image-size').innerText(), size.join(' × '), what);
        near(seen, blockIn(corner, size), `seen in ${what}`);
        near(framed, blockIn(corner, size), `framed in ${what}`);
      }
    }));
}

/** EXIF of 6 with its highest bytes first. */
const MOTOROLA = Buffer.from([...Buffer.from('MM\0*'), 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]);
const at = (note, offset, ...bytes) => {
  const changed = Buffer.from(note);
  changed.set(bytes, offset);
  return changed;
};

test('a WebP is shown turned exactly where the engine turns it, whatever its EXIF holds', () =>
  visit(shared, site, async (page) => {
    await shows(page, 'empty');
    /** The engine takes an orientation from 2 to 8 that is one short number of the first directory, and nothing else. */
    /** @type {Record<string, [Buffer, boolean]>} */
    const notes = {
      'Intel, 6': [exif(6), true],
      'Motorola, 6': [MOTOROLA, true],
      upright: [exif(1), false],
      'no such orientation': [exif(9), false],
      zero: [exif(0), false],
      'a long number': [at(exif(6), 12, 4), false],
      'two numbers': [at(exif(6), 14, 2), false],
      'another tag': [at(exif(6), 10, 0x13), false],
      'a directory beyond the end': [at(exif(6), 4, 255, 255, 255, 255), false],
      'entries beyond the end': [at(at(exif(6), 8, 255, 255), 10, 0x13), false],
      'cut in the entry': [exif(6).subarray(0, 16), false],
      'cut in the head': [exif(6).subarray(0, 6), false],
      empty: [Buffer.alloc(0), false],
      'with the words of a JPEG': [Buffer.concat([Buffer.from('Exif\0\0'), exif(6)]), false],
    };
    const files = Object.entries(notes).map(([name, [note]]) => [name, webp(note).toString('base64')]);
    files.push(['none', Buffer.from(avif()).toString('base64')]);
    const turned = await page.evaluate(async (files) => {
      const { upright } = await import(new URL('image-file.js', location.href).href);
      const turned = [];
      for (const [name, bytes] of files) {
        const shown = await upright(new Blob([Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0))]));
        const size = shown && (await createImageBitmap(shown));
        turned.push([name, size ? [size.width, size.height] : undefined]);
      }
      return turned;
    }, files);
    const wanted = Object.entries(notes).map(([name, [, turns]]) => [name, turns ? [32, 48] : undefined]);
    assert.deepEqual(turned, [...wanted, ['none', undefined]]);
  }));

for (const [name, bytes] of Object.entries({ 'an AVIF': avif(), 'a BMP': bmp() })) {
  test(`${name} comes in, as a PNG of the same pixels`, () =>
    visit(shared, site, async (page) => {
      await enter(page, 'In Oslo');
      await hand(page, 'drop', { name: 'photo', type: '', bytes });
      await lookedAt(page);
      assert.match(await page.locator('#tags').innerText(), /^Seen in it: .PNG/);
      const { size, seen, framed } = await marks(page);
      assert.deepEqual(size, [48, 32]);
      near(seen, blockIn('top left', size), 'seen');
      near(framed, blockIn('top left', size), 'framed');
    }));
}

/** The answer of the module alone to an image of these bytes, its error in words. */
function look(page, bytes) {
  return page.evaluate(async (bytes) => {
    const { Recognizer } = await import(new URL('mner.js', location.href).href);
    const mner = await Recognizer.load('models/ham/', { backend: 'cpu' });
    const image = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
    const { picture, code, message } = await mner.recognize({ text: 'Oslo', image }).catch((error) => error);
    mner.close();
    return { objects: picture?.objects, size: picture && [picture.width, picture.height], code, message };
  }, bytes.toString('base64'));
}

test('an image that is too large for the engine as a PNG is handed over smaller', () =>
  visit(shared, site, async (page) => {
    await shows(page, 'empty');
    // Noise, which no PNG makes small.
    let seed = 1;
    const noise = () => (seed = (seed * 48_271) % 0x7fffffff) % 256;
    const of = (width, height) => bmp(width, height, () => [noise(), noise(), noise()]);
    const sizes = await page.evaluate(
      async (files) => {
        const { forEngine, formatOf } = await import(new URL('image-file.js', location.href).href);
        const sizes = [];
        for (const bytes of files) {
          const file = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
          const check = (bytes) => {
            // The file itself passes: it is what comes out of it that is too large.
            if (bytes !== file.length && bytes > 60_000) throw new Error('too large');
          };
          const png = await forEngine(file, check);
          const { width, height } = await createImageBitmap(new Blob([png]));
          sizes.push([formatOf(png), width, height, png.length <= 60_000]);
        }
        return sizes;
      },
      [of(100, 120), of(200, 150)].map((bytes) => bytes.toString('base64')),
    );
    assert.deepEqual(sizes, [
      ['PNG', 100, 120, true],
      ['PNG', 140, 105, true],
    ]);
  }));

const boxed = (...brands) => Buffer.concat([Buffer.from([0, 0, 0, 8 + 4 * (brands.length + 1)]), Buffer.from('ftyp'), Buffer.from(brands[0]), Buffer.alloc(4), Buffer.from(brands.slice(1).join('')), Buffer.alloc(20)]);
/** @type {[string, Buffer][]} */
const UNREAD = [
  ['HEIC', boxed('heic', 'mif1')],
  ['HEIC', boxed('mif1', 'miaf', 'heic')],
  ['HEIC', boxed('hevc', 'msf1')],
  ['AVIF', boxed('avis', 'msf1')],
  ['AVIF', boxed('mif1', 'miaf', 'avif')],
  ['AVIF', boxed('MA1B', 'mif1')],
  ['HEIF', boxed('mif1', 'miaf')],
  ['HEIF', boxed('avci', 'mif1')],
  ['video', boxed('isom', 'mp41')],
  ['TIFF', Buffer.from('II*\0\x08\0\0\0', 'latin1')],
  ['TIFF', Buffer.from('MM\0*\0\0\0\x08', 'latin1')],
  ['JPEG XL', Buffer.from([0xff, 0x0a, 0, 0])],
  ['JPEG XL', Buffer.from('\0\0\0\x0cJXL \r\n\x87\n', 'latin1')],
  ['JPEG 2000', Buffer.from('\0\0\0\x0cjP  \r\n\x87\n', 'latin1')],
  ['SVG', Buffer.from(`<?xml version="1.0"?>\n<!-- ${'drawn '.repeat(60)}-->\n<svg xmlns="x"`)],
  ['BMP', Buffer.from('BM')],
  ['PDF', Buffer.from('%PDF-1.7')],
  ['PostScript', Buffer.from('%!PS-Adobe-3.0 EPSF-3.0')],
  ['Canon raw', Buffer.from('II*\0\x10\0\0\0CR', 'latin1')],
  ['video', Buffer.from('\0\0\0\x08wide\0\0\0\x20mdat', 'latin1')],
];

test('what the browser cannot decode either is named rightly, in the page and by the module', () =>
  visit(shared, site, async (page) => {
    await enter(page, 'In Oslo');
    for (const [i, [format, bytes]] of UNREAD.entries()) {
      await hand(page, 'drop', { name: `photo${i}`, type: '', bytes });
      const problem = page.getByText(new RegExp(`^photo${i} cannot be read: this browser does not know ${format} files\\. Save it as JPEG, PNG, WebP or GIF\\.$`));
      await problem.waitFor();
      const { code, message } = await look(page, bytes);
      assert.equal(code, 'picture', format);
      assert.match(message, new RegExp(`the file is an? ${format} file, and this browser cannot read it`));
    }
    // Of its own formats, and of what it does not know, the engine says itself what is wrong.
    assert.match((await look(page, Buffer.from('<html>'))).message, /this is not an image/);
    await hand(page, 'drop', { name: 'noise', type: '', bytes: Buffer.from([0, 1, 2, 0xff]) });
    await page.getByText('noise is not a picture this page can read.').waitFor();
    assert.deepEqual((await look(page, bmp())).objects, [{ name: 'mark', score: 0.9, box: [0, 0, BLOCK, BLOCK] }]);
  }));

test('a drawing is read as it is shown', () =>
  visit(shared, site, async (page) => {
    await enter(page, 'In Oslo');
    const bytes = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"><rect width="9" height="9" fill="red"/></svg>');
    await hand(page, 'drop', { name: 'plan.svg', type: 'image/svg+xml', bytes });
    await lookedAt(page);
    assert.equal(await page.locator('.image-name').innerText(), 'plan.svg');
    assert.equal(await page.locator('.image-size').innerText(), '512 × 384');
    assert.equal(await page.locator('#image-problem').isVisible(), false);
  }));
