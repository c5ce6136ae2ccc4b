/** The choice that CoNLL has a column of fine types. It is one choice, made with any of its switches and remembered. */
import { remember, remembered } from './settings.js';

let on = remembered('kinds') === 'on';

export class KindColumn {
  #label;

  /** @param {HTMLElement} label with the check box in it */
  constructor(label) {
    this.#label = label;
    const box = label.querySelector('input');
    box.checked = on;
    box.onchange = () => {
      on = box.checked;
      remember('kinds', on ? 'on' : undefined);
      for (const other of document.querySelectorAll('.kind-column > input')) /** @type {HTMLInputElement} */ (other).checked = on;
    };
  }

  /** Offers the choice, or not: of models that tell no fine types there is none. */
  offer(/** @type {boolean} */ yes) {
    this.#label.hidden = !yes;
  }

  /** Whether the column is wanted. */
  get wanted() {
    return on && !this.#label.hidden;
  }
}

/** Whether a fine type is told of any entity. */
export function tellsKinds(/** @type {{entities: import('./engine.d.ts').Entity[]}} */ { entities }) {
  return entities.some(({ kind }) => kind);
}
