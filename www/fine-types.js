/**
 * What is said of a name's fine type, where the model tells one.
 *
 * @typedef {import('./engine.d.ts').Entity} Entity
 * @typedef {Pick<Entity, 'type' | 'kind'>} Typed
 */
import { hasWords, percent, say } from './wording.js';

/** How likely a fine type must be to stand beside the type; where it is less, how likely a coarse one must be. */
const FINE_SURE = 0.6;
const COARSE_SURE = 0.6;
/** Coarse types that say no more than the type does. */
const SAID = { PER: 'person', LOC: 'location', ORG: 'organization' };

/**
 * The fine or coarse type that stands beside the type: the finest that is sure and says more than the type.
 * @param {Typed} entity
 * @returns {string | undefined}
 */
export function kindOf({ type, kind }) {
  if (!kind) return undefined;
  const says = (name) => name !== SAID[type] && !/(^|_)other$/.test(name);
  if (kind.probability >= FINE_SURE && says(kind.name)) return kind.name;
  if (kind.coarse_probability >= COARSE_SURE && says(kind.coarse)) return kind.coarse;
  return undefined;
}

/** The words for a fine or coarse type; one that the page does not know is told by its name. */
export function kindWords(/** @type {string} */ name) {
  const key = `kind.${name}`;
  return hasWords(key) ? say(key) : name.replaceAll('_', ' ');
}

/** The words for a type and, where one is sure, the fine type, to be read out. */
export function typeWords(/** @type {Typed} */ entity) {
  const type = say(`type.${entity.type}`);
  const kind = kindOf(entity);
  return kind === undefined ? type : say('type.fine', { type, kind: kindWords(kind) });
}

/**
 * Sentences on the fine type and how likely it is: none, or one.
 * @param {Typed} entity
 * @returns {string[]}
 */
export function kindSentences({ type, kind }) {
  if (!kind) return [];
  const fine = { kind: kindWords(kind.name), share: percent(kind.probability) };
  // Where the coarse type is told, it is the one to begin with.
  if (kind.name === kind.coarse || kindOf({ type, kind }) !== kind.coarse) return [say('name.kind', fine)];
  return [say('name.kind.coarse', { ...fine, coarse: kindWords(kind.coarse), coarse_share: percent(kind.coarse_probability) })];
}
