import { words } from '../strings/words.js';
import { avatar, make, uniqueId } from './dom.js';

/** @typedef {import('../people/household.js').Household} Household */
/** @typedef {import('../people/api.js').Person} Person */

/** The people of the household and whether they can be reached. Set both before inserting it. */
export class PeopleList extends HTMLElement {
  /** @type {Household | undefined} */
  household;
  /** What it says when nobody is there. */
  alone = words.home.alone;
  #listening = new AbortController();

  connectedCallback() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.household?.addEventListener('change', this, { signal });
    addEventListener('hashchange', () => this.#mark(), { signal });
    this.handleEvent();
  }

  disconnectedCallback() { this.#listening.abort(); }

  handleEvent() {
    const people = this.household?.people;
    if (!people) return this.replaceChildren(make('p', { class: 'hint' }, words.loading));
    // The list is made anew: whoever was on one of its links shall stay there.
    const focused = document.activeElement?.getAttribute('href');
    const list = make('ul', { 'aria-label': words.home.people, role: 'list' }, ...people.map(item));
    this.replaceChildren(...people.length ? [list] : [list, make('p', { class: 'hint' }, this.alone)]);
    this.#mark();
    if (focused) [...list.querySelectorAll('a')].find((link) => link.getAttribute('href') === focused)?.focus();
  }

  #mark() {
    for (const link of this.querySelectorAll('a')) {
      if (link.getAttribute('href') === location.hash) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  }
}
customElements.define('people-list', PeopleList);

/** @param {Person} person */
function item({ userName, fullName, reachable }) {
  const id = uniqueId();
  return make('li', {},
    avatar(fullName, userName),
    make('a', { href: `#/person/${encodeURIComponent(userName)}`, 'aria-describedby': id }, fullName),
    make('span', { id, class: reachable ? 'reachability is-reachable' : 'reachability' },
      reachable ? words.home.reachable : words.home.unreachable));
}
