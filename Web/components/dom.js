/** @typedef {string | number | boolean | undefined | ((event: any) => unknown)} AttributeValue */

/**
 * An element with attributes, listeners (`onclick` and the like) and children. Text children are text, never markup.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, AttributeValue>} [attributes] false and undefined leave the attribute out
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}

let lastId = 0;
/** An id for labels and descriptions, unlike any other on the page. */
export function uniqueId() { return `id-${++lastId}`; }

/** @param {string} name the first letters of a person's first and last name, for the picture they do not have yet */
export function initials(name) {
  const parts = name.trim().split(/\s+/);
  return [parts[0], ...parts.length > 1 ? [parts[parts.length - 1]] : []].map((part) => [...part][0] ?? '').join('').toUpperCase();
}

/** How many colours `avatar` may have; base.css has one class for each. */
const COLOURS = 6;

/** @param {string} name @param {string} key a user name or SIP address, which gives the colour: it stays when the name changes */
export function avatar(name, key) {
  const hash = [...key.replace(/^sips?:/, '').split('@')[0]].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973, 7);
  return make('span', { class: `avatar avatar-${hash % COLOURS}`, 'aria-hidden': 'true' }, initials(name));
}
