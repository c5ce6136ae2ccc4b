/**
 * <mner-text>: marks the names in any paragraph, whatever elements it holds.
 *
 *     <mner-text model="models/hamlearning/"><p>Sunita Williams is back in Houston.</p></mner-text>
 *
 * `model` is the model's folder; with `models` in its place, the first of the `index.json` there is taken. Each name becomes a
 * <mark data-type="PER">, or several where it reaches over the borders of elements; the last has a data-label too.
 * When the text changes it is read anew. The event `mner` tells the entities, `mner-error` what went wrong.
 */
import { Recognizer } from '../mner.js';

const TYPES = { PER: 'person', LOC: 'place', ORG: 'organisation', MISC: 'other name' };
/** `:where` weighs nothing: whatever the page says goes before. */
const STYLE = `
  :where(mner-text) { display: block }
  :where(mner-text mark[data-type]) { padding: 0 0.2em; border-radius: 0.3em; color: #16181f; background: #dbe5ff }
  :where(mner-text mark[data-label])::after { content: attr(data-label); margin-inline-start: 0.4em; font: 700 0.6em sans-serif }
  :where(mner-text mark[data-type='LOC']) { background: #d2f2df }
  :where(mner-text mark[data-type='ORG']) { background: #ffe8bd }
  :where(mner-text mark[data-type='MISC']) { background: #fadcf2 }`;
/** What holds no text to read. */
const PASSED = 'script, style, textarea, select, button, svg, math, [contenteditable]';

/** @type {Map<string, Promise<Recognizer>>} one for all elements of a model */
const recognizers = new Map();

function recognizer(models, model) {
  const key = `${models} ${model}`;
  if (!recognizers.has(key)) {
    const load = async () => {
      if (model !== null) return Recognizer.load(model, models === null ? {} : { models });
      const folder = (models ?? 'models/').replace(/\/*$/, '/');
      const [first] = await (await fetch(`${folder}index.json`)).json();
      if (!first) throw new Error(`No model is installed in ${folder}.`);
      return Recognizer.load(first, { models: folder });
    };
    const loading = load();
    // The next element may try again.
    loading.catch(() => recognizers.delete(key));
    recognizers.set(key, loading);
  }
  return recognizers.get(key);
}

class MnerText extends HTMLElement {
  #observer = new MutationObserver(() => this.#read());
  /** @type {AbortController | undefined} */
  #latest;
  /** @type {Set<HTMLElement>} */
  #marks = new Set();

  connectedCallback() {
    this.#read();
  }

  disconnectedCallback() {
    this.#latest?.abort();
    this.#observer.disconnect();
  }

  async #read() {
    this.#latest?.abort();
    this.#latest = new AbortController();
    const { signal } = this.#latest;
    this.#observer.observe(this, { subtree: true, childList: true, characterData: true });
    try {
      const mner = await recognizer(this.getAttribute('models'), this.getAttribute('model'));
      signal.throwIfAborted();
      const { text } = this.#text();
      const { entities } = await mner.recognize({ text }, { signal });
      // What is changed here is no change of the text.
      this.#observer.disconnect();
      this.#mark(entities);
      this.#observer.observe(this, { subtree: true, childList: true, characterData: true });
      this.dispatchEvent(new CustomEvent('mner', { detail: { text, entities } }));
    } catch (error) {
      if (!signal.aborted) this.dispatchEvent(new CustomEvent('mner-error', { detail: error }));
    }
  }

  /** The text as it is read, with a line's end where a block begins or ends, and where in it each node of text begins. */
  #text() {
    let text = '';
    /** @type {{node: Text, start: number}[]} */
    const nodes = [];
    const visit = (/** @type {Node} */ parent) => {
      for (const node of parent.childNodes) {
        if (node instanceof Text) {
          nodes.push({ node, start: text.length });
          text += node.data;
        } else if (node instanceof Element && !node.matches(PASSED)) {
          const apart = node.tagName === 'BR' || !/^(inline|contents)/.test(getComputedStyle(node).display);
          if (apart) text += '\n';
          visit(node);
          if (apart) text += '\n';
        }
      }
    };
    visit(this);
    return { text, nodes };
  }

  #mark(entities) {
    for (const mark of this.#marks) mark.replaceWith(...mark.childNodes);
    this.#marks.clear();
    this.normalize();
    const { nodes } = this.#text();
    // From the end: a node that is split keeps what stands before.
    for (const { type, utf16, confidence } of entities.toReversed()) {
      let mark;
      for (const { node, start } of nodes) {
        const from = Math.max(utf16[0] - start, 0);
        const to = Math.min(utf16[1] - start, node.length);
        if (from >= to) continue;
        const range = document.createRange();
        range.setStart(node, from);
        range.setEnd(node, to);
        mark = document.createElement('mark');
        mark.dataset.type = type;
        mark.title = `${TYPES[type]}, ${Math.round(100 * confidence)} %`;
        range.surroundContents(mark);
        this.#marks.add(mark);
      }
      // The colour does not speak alone; it is told once a name.
      if (mark) mark.dataset.label = type;
    }
  }
}

const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);
document.adoptedStyleSheets.push(sheet);
customElements.define('mner-text', MnerText);
