import { hasKeys } from '../people/household.js';
import { words } from '../strings/words.js';
import { avatar, make } from './dom.js';
import { icon } from './icon.js';
import { reachability } from './people-list.js';

/** @typedef {import('../people/household.js').Household} Household */
/** @typedef {import('../phone/phone.js').Phone} Phone */

/** One person and what one can do with them. Set all four before inserting it. */
export class PersonPage extends HTMLElement {
  userName = '';
  /** @type {Household | undefined} */
  household;
  /** @type {Phone | undefined} */
  phone;
  /** Whether whoever looks at it looks after this Hearth, too. */
  isOwner = false;
  #warning = make('div', { role: 'alert', class: 'alert' });
  #reachability = make('p');
  #listening = new AbortController();

  connectedCallback() {
    this.#listening = new AbortController();
    this.household?.addEventListener('change', this, { signal: this.#listening.signal });
    const person = this.household?.named(this.userName);
    if (!person) return this.replaceChildren(make('p', { role: 'alert' }, words.home.unknownPerson));
    const dial = (/** @type {boolean} */ video) => () => {
      const callee = this.household?.named(this.userName);
      if (callee) this.phone?.dial(callee, { video });
    };
    this.replaceChildren(
      avatar(person.fullName, person.userName),
      make('h2', { tabindex: '-1' }, person.fullName),
      this.#reachability,
      this.#warning,
      make('div', { class: 'actions' },
        make('button', { type: 'button', class: 'primary', onclick: dial(false) }, icon('phone'), words.call.call),
        make('button', { type: 'button', class: 'primary', onclick: dial(true) }, icon('video'), words.call.videoCall)),
      ...hasKeys(person) ? [] : this.#aboutTelephones(person),
    );
    this.handleEvent();
  }

  disconnectedCallback() { this.#listening.abort(); }

  handleEvent() {
    const person = this.household?.named(this.userName);
    const isStrange = !!person && !!this.household?.changedKeys.has(this.userName);
    if (isStrange === !this.#warning.hasChildNodes()) {
      this.#warning.replaceChildren(...isStrange ? [
        make('p', {}, words.home.keysChanged(person.fullName)),
        make('button', { type: 'button', onclick: () => this.household?.acceptKeys(person) }, words.home.acceptKeys),
      ] : []);
    }
    if (person) this.#reachability.replaceChildren(reachability(person));
  }

  /** @param {import('../people/api.js').Person} person */
  #aboutTelephones({ userName, fullName }) {
    const settings = make('a', { href: `#/phones/${encodeURIComponent(userName)}` }, words.home.phonesOf(fullName));
    return [make('p', { class: 'hint' }, words.home.telephoneOnly(fullName)), ...this.isOwner ? [settings] : []];
  }
}
customElements.define('person-page', PersonPage);
