/**
 * Stands in for mner.js where a test is about what the page does with pictures and models: the same face, and answers made up
 * on the spot. Words that begin with a capital letter are names, of the type that their length picks; a picture makes a
 * person of every name that begins with J.
 */
const TYPES = ['PER', 'LOC', 'ORG', 'MISC'];
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const error = (code, message) => Object.assign(new Error(message), { code });

export class Recognizer {
  backend = 'cpu';
  fallback;
  manifest;
  #looked;
  #closed = false;

  static async load(url, { backend = 'auto', onProgress = () => {}, signal } = {}) {
    const mner = new Recognizer();
    const response = await fetch(new URL('manifest.json', new URL(url, document.baseURI)));
    if (!response.ok) throw error('not-found', `There is no file at ${response.url}.`);
    mner.manifest = await response.json();
    onProgress({ loaded: 1, total: 2, parts: {} });
    await pause(0);
    signal?.throwIfAborted();
    if (backend === 'auto') mner.fallback = 'WebGPU is not in use: this browser offers none.';
    return mner;
  }

  async recognize({ text, image, caption }) {
    const { eyes, config } = this.manifest;
    if (image && !eyes) throw error('input', 'This model reads text alone.');
    let look;
    if (image) {
      look = this.#looked === image ? 0 : 740;
      if (look) await pause(60);
      if ((await image.text()).includes('broken')) throw error('recognize', 'the PNG file ends before its image does; fetch or save it again');
      this.#looked = image;
    }
    await pause(5);
    if (this.#closed) throw error('closed', 'The recogniser was closed.');
    const entities = [...text.matchAll(/\p{Lu}[\p{L}\p{M}]*/gu)].map(({ 0: name, index }) => {
      const swayed = image && name.startsWith('J');
      const type = swayed ? 'PER' : TYPES[name.length % 4];
      const span = [index, index + name.length];
      const runner_up = { type: TYPES[(TYPES.indexOf(type) + 1) % 4], probability: 0.031 };
      const evidence = image && config.system === 'hamlearning' ? { heat: heat(index), objects: [0.3, 0.1] } : undefined;
      const confidence = image ? 0.912 : 0.85;
      return { type, text: name, utf16: span, chars: span, bytes: span, confidence, runner_up, ...(evidence && { evidence }) };
    });
    const picture = image && {
      ...(config.system === 'hamlearning' && { relevance: { global: 0.82, object: 0.74, semantic: 0.7, spatial: 0 } }),
      objects: [
        { name: 'person', score: 0.93, box: [20, 10, 50, 90] },
        { name: 'sports ball', score: 0.48, box: [60, 0, 75, 20] },
      ],
      tags: [{ name: caption ?? 'stage', probability: 0.4, source: 'classifier' }],
      width: 100,
      height: 100,
    };
    return { entities, ...(picture && { picture }), timings: { look: look ?? 0, recognize: 41 }, backend: 'cpu' };
  }

  close() {
    this.#closed = true;
  }
}

/** Attention of 0.6 in all, around one cell. */
function heat(seed) {
  const [row, column] = [seed % 7, (seed * 3) % 7];
  const near = Array.from({ length: 49 }, (_, i) => Math.exp(-((Math.floor(i / 7) - row) ** 2 + ((i % 7) - column) ** 2) / 3));
  const sum = near.reduce((a, b) => a + b);
  return near.map((share) => (0.6 * share) / sum);
}
