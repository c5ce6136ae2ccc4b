/** What a person has chosen and finds again at the next visit; where the browser keeps nothing, until the page is left. */
const PREFIX = 'mner ';

/** @returns {string | undefined} */
export function remembered(name) {
  try {
    return localStorage.getItem(PREFIX + name) ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} name
 * @param {string} [value] `undefined` to forget
 */
export function remember(name, value) {
  try {
    if (value === undefined) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // Chosen all the same.
  }
}
