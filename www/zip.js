/** Several files as one: a ZIP archive whose files are stored as they are (APPNOTE.TXT 6.3, without ZIP64). */

/** CRC-32 of each byte (IEEE 802.3, reflected). */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});
/** Names are UTF-8. */
const FLAGS = 0x0800;
/** 1 January 1980, as early as the format can say. */
const DATE = 0x21;

/**
 * @param {{name: string, text: string}[]} files with names that differ
 * @returns {Blob}
 */
export function zipped(files) {
  const encoder = new TextEncoder();
  const [bodies, directory] = [[], []];
  let at = 0;
  for (const { name, text } of files) {
    const [title, bytes] = [encoder.encode(name), encoder.encode(text)];
    const common = [[20, 2], [FLAGS, 2], [0, 2], [0, 2], [DATE, 2], [crc(bytes), 4], [bytes.length, 4], [bytes.length, 4], [title.length, 2], [0, 2]];
    const local = numbers([[0x04034b50, 4], ...common]);
    bodies.push(local, title, bytes);
    directory.push(numbers([[0x02014b50, 4], [20, 2], ...common, [0, 2], [0, 2], [0, 2], [0, 4], [at, 4]]), title);
    at += local.length + title.length + bytes.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = numbers([[0x06054b50, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2], [size, 4], [at, 4], [0, 2]]);
  return new Blob([...bodies, ...directory, end], { type: 'application/zip' });
}

/** Numbers of so many bytes each, the lowest byte first. */
function numbers(fields) {
  return Uint8Array.from(fields.flatMap(([value, bytes]) => Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 255)));
}

function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ TABLE[(sum ^ byte) & 255];
  return (sum ^ 0xffffffff) >>> 0;
}
