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
 * A copy of what is in a template, with `suffix` at the end of every id.
 * @param {HTMLTemplateElement} template
 * @param {string} suffix
 * @returns {HTMLElement}
 */
export function copied(template, suffix) {
  const copy = document.importNode(template.content, true);
  for (const attribute of ['id', 'for', 'aria-labelledby', 'aria-describedby']) {
    for (const node of copy.querySelectorAll(`[${attribute}]`)) node.setAttribute(attribute, node.getAttribute(attribute) + suffix);
  }
  return /** @type {HTMLElement} */ (copy.firstElementChild);
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
