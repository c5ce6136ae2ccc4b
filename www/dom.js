/**
 * A new element with properties and children.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} [properties]
 * @param {(Node | string)[]} children
 */
export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/**
 * The element with this id, which must be of this kind.
 * @template {HTMLElement} Kind
 * @param {new () => Kind} kind
 * @param {string} id
 * @returns {Kind}
 */
export function byId(kind, id) {
  const node = document.getElementById(id);
  if (!(node instanceof kind)) throw new TypeError(`#${id} is no ${kind.name}`);
  return node;
}
