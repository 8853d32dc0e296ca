import { words } from '../strings/words.js';
import { hasKeys } from '../people/household.js';
import { avatar, make, uniqueId } from './dom.js';
import { icon } from './icon.js';

/** @typedef {import('../people/household.js').Household} Household */
/** @typedef {import('../people/api.js').Me} Me */
/** @typedef {import('../people/api.js').Person} Person */

/** The people of the household and whether they can be reached, oneself last. Set all before inserting it. */
export class PeopleList extends HTMLElement {
  /** @type {Household | undefined} */
  household;
  /** @type {Me | undefined} */
  me;
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
    if (this.me) list.append(ownItem(this.me));
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

/** @param {Me} me */
function ownItem({ userName, fullName }) {
  return make('li', { class: 'oneself' }, avatar(fullName, userName), make('span', {}, fullName),
    make('span', { class: 'hint' }, words.home.you));
}

/** @param {Person} person */
function item(person) {
  const { userName, fullName } = person;
  const id = uniqueId();
  const state = reachability(person);
  state.id = id;
  return make('li', {},
    avatar(fullName, userName),
    make('a', { href: `#/person/${encodeURIComponent(userName)}`, 'aria-describedby': id }, fullName),
    state);
}

/** @param {Person} person whether they can be reached, with a telephone's sign for those who have nothing else */
export function reachability(person) {
  const { reachable } = person;
  const classes = `reachability${reachable ? ' is-reachable' : ''}`;
  if (hasKeys(person)) return make('span', { class: classes }, reachable ? words.home.reachable : words.home.unreachable);
  return make('span', { class: `${classes} by-telephone` }, icon('telephone'),
    reachable ? words.home.telephoneReachable : words.home.telephoneUnreachable);
}
