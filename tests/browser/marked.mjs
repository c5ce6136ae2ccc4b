/**
 * Small images with a mark, in many formats: 48 by 32 pixels as stored, white, with a block of 16 by 16 in magenta at the
 * upper left. An EXIF orientation says where that corner is to be seen.
 */
import { deflateSync } from 'node:zlib';

export const [WIDTH, HEIGHT, BLOCK] = [48, 32, 16];
const [WHITE, MAGENTA] = [
  [255, 255, 255],
  [255, 0, 255],
];

/** Where the mark is to be seen, by orientation. */
export const CORNERS = { 1: 'top left', 2: 'top right', 3: 'bottom right', 4: 'bottom left', 5: 'top left', 6: 'top right', 7: 'bottom right', 8: 'bottom left' };

/** Written by libwebp, libjpeg and libheif with libaom, without metadata. */
const WEBP = 'UklGRioAAABXRUJQVlA4TB0AAAAvL8AHAA8w//M///MfHhAIJPtLJzBARP8noODsHwA=';
const JPEG =
  '/9j/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCg' +
  'oKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAgADADAREAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAoH/8QAFBABAAAAAAAA' +
  'AAAAAAAAAAAAAP/EABUBAQEAAAAAAAAAAAAAAAAAAAAJ/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAwDAQACEQMRAD8AyNVBawBSwleimAAAmnVQWsAUsJXopgAAAAAAAA' +
  'AAAAAAP//Z';
const AVIF =
  'AAAAHGZ0eXBhdmlmAAAAAG1pZjFhdmlmbWlhZgAAAOptZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAAB' +
  'DgABAAAAAAAAAC4AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABhdjAxAAAAAA5waXRtAAAAAAABAAAAamlwcnAAAABLaXBjbwAAAAxhdjFDgSACAAAAABNjb2xy' +
  'bmNseAABAA0AAIAAAAAUaXNwZQAAAAAAAAAwAAAAIAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgQIDBAAAADZtZGF0EgAKCDgVL/sICGgBMiAQAACm' +
  'yusOWbDPVlMPaWdrOw/2KAKLQEtnf0qbBFs6pA==';

/** @type {Record<string, (orientation: number) => Buffer>} */
export const MARKED = {
  jpeg(orientation) {
    const jpeg = Buffer.from(JPEG, 'base64');
    const note = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif(orientation)]);
    return Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xe1]), number(note.length + 2, 2), note, jpeg.subarray(2)]);
  },
  png: (orientation) => png(WIDTH, HEIGHT, rows(), ['eXIf', exif(orientation)]),
  webp: (orientation) => webp(exif(orientation)),
};

/** The WebP with these bytes for its EXIF. */
export function webp(note) {
  const pixels = Buffer.from(WEBP, 'base64').subarray(12);
  const extended = Buffer.from([8, 0, 0, 0, WIDTH - 1, 0, 0, HEIGHT - 1, 0, 0]);
  const chunks = Buffer.concat([riff('VP8X', extended), pixels, riff('EXIF', note)]);
  return riff('RIFF', Buffer.concat([Buffer.from('WEBP'), chunks]));
}

export const avif = () => Buffer.from(AVIF, 'base64');

/** A BMP of 24 bits, its rows from the bottom up. */
export function bmp(width = WIDTH, height = HEIGHT, colour = colourAt) {
  const stride = Math.ceil((3 * width) / 4) * 4;
  const file = Buffer.alloc(54 + stride * height);
  file.write('BM');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) file.set([...colour(x, y)].reverse(), 54 + stride * (height - 1 - y) + 3 * x);
  }
  return file;
}

/** A PNG of 8 bits a channel without transparency from its rows, each after a byte 0. */
export function png(width, height, rows, ...more) {
  const header = Buffer.concat([number(width, 4), number(height, 4), Buffer.from([8, 2, 0, 0, 0])]);
  return pngOf([['IHDR', header], ...more, ['IDAT', deflateSync(rows)], ['IEND', Buffer.alloc(0)]]);
}

/** A PNG from its chunks. */
export function pngOf(chunks) {
  const parts = chunks.map(([type, data]) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    return Buffer.concat([number(data.length, 4), body, number(crc32(body), 4)]);
  });
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...parts]);
}

function colourAt(x, y) {
  return x < BLOCK && y < BLOCK ? MAGENTA : WHITE;
}

function rows() {
  return Buffer.from(Array.from({ length: HEIGHT }, (_, y) => [0, ...Array.from({ length: WIDTH }, (_, x) => colourAt(x, y)).flat()]).flat());
}

/** A TIFF structure with nothing but an orientation. */
export function exif(orientation) {
  return Buffer.from([...Buffer.from('II*\0'), 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]);
}

function riff(name, data) {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(data.length);
  return Buffer.concat([Buffer.from(name), size, data, Buffer.alloc(data.length % 2)]);
}

/** A number, its highest byte first. */
function number(value, bytes) {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
