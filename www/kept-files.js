/** What the browser keeps of models' files, in a cache of its own. A browser without one, or with a full one, keeps nothing. */

/** Bytes of a kept part; the last of a file may be shorter. */
const PART = 1 << 20;
/** What caches take: an extension's own files, for instance, are on the device as it is. */
const KEPT = /^https?:/;

/** The cache of that name; `false` is none at all. */
export class KeptFiles {
  #name;

  /** @param {string | false} name */
  constructor(name) {
    this.#name = name;
  }

  /** The URL by which this version of a file is kept: another's, where models have a file in common. */
  async where(sha256) {
    try {
      const keys = (await (await this.#cache()).keys()).map(({ url }) => new URL(url));
      const key = keys.find(({ searchParams }) => searchParams.get('sha256') === sha256);
      if (key) key.search = '';
      return key?.href;
    } catch {
      return undefined;
    }
  }

  /** The kept parts of one version of a file. */
  parts(url, sha256, bytes) {
    return new Parts(() => this.#cache(), this.#name !== false && KEPT.test(url), url, sha256, bytes);
  }

  /** Drops everything kept of a file, whatever its version. */
  async forget(url) {
    try {
      await (await this.#cache()).delete(url, { ignoreSearch: true });
    } catch {
      // No cache, nothing to forget.
    }
  }

  async #cache() {
    if (this.#name === false) throw new Error('nothing is kept');
    return caches.open(this.#name);
  }
}

class Parts {
  #cache;
  #keeps;
  #url;
  #sha256;
  #bytes;
  /** The part that is being filled: where it begins, its bytes, and how many are there. */
  #start = 0;
  #buffer;
  #filled = 0;

  /** @param {() => Promise<Cache>} cache @param {boolean} keeps whether new parts are kept */
  constructor(cache, keeps, url, sha256, bytes) {
    this.#cache = cache;
    this.#keeps = keeps;
    this.#url = url;
    this.#sha256 = sha256;
    this.#bytes = bytes;
  }

  /**
   * The part that begins at `offset`, or `undefined`.
   * @returns {Promise<Response | undefined>}
   */
  async at(offset) {
    try {
      return await (await this.#cache()).match(this.#key(offset));
    } catch {
      return undefined;
    }
  }

  /** Takes the next bytes, in order except for a fresh start at 0, and keeps every part that is full. */
  async add(offset, chunk) {
    if (!this.#keeps) return;
    if (offset !== this.#start + this.#filled) {
      this.#start = offset;
      this.#filled = 0;
    }
    for (let taken = 0; taken < chunk.length; ) {
      this.#buffer ??= new Uint8Array(Math.min(PART, this.#bytes));
      const piece = chunk.subarray(taken, taken + PART - this.#filled);
      this.#buffer.set(piece, this.#filled);
      this.#filled += piece.length;
      taken += piece.length;
      if (this.#filled === PART || this.#start + this.#filled === this.#bytes) await this.#keep();
    }
  }

  async #keep() {
    const body = this.#buffer.subarray(0, this.#filled);
    try {
      await (await this.#cache()).put(this.#key(this.#start), new Response(body));
    } catch (error) {
      console.info(`mner: a part of ${this.#url} was not cached: ${error.message}`);
    }
    this.#start += this.#filled;
    this.#filled = 0;
  }

  #key(offset) {
    const key = new URL(this.#url);
    key.search = `sha256=${this.#sha256}&from=${offset}`;
    return key.href;
  }
}
