import { sameAddress } from '../phone/address.js';

/** @typedef {import('./api.js').API} API */
/** @typedef {import('./api.js').Person} Person */
/** @typedef {import('./api.js').Me} Me */
/** @typedef {import('../keys/pins.js').Pins} Pins */

/** How often a visible page asks who can be reached, in milliseconds. */
const REFRESH = 5_000;

/** The people one can call: everybody but oneself, by name. Fires `change`. */
export class Household extends EventTarget {
  /** @type {Person[] | undefined} undefined until the first answer */
  people;
  /** Whose keys are not the ones they were known by, by user name. */
  changedKeys = /** @type {Set<string>} */ (new Set());
  #pins;
  #api;
  #me;
  #watching = new AbortController();

  /** @param {API} api @param {Me} me @param {Pins} pins */
  constructor(api, me, pins) {
    super();
    this.#pins = pins;
    this.#api = api;
    this.#me = me;
  }

  start() {
    const { signal } = this.#watching;
    const look = () => { if (!document.hidden) this.refresh(); };
    const timer = setInterval(look, REFRESH);
    signal.addEventListener('abort', () => clearInterval(timer));
    document.addEventListener('visibilitychange', look, { signal });
    return this.refresh();
  }

  stop() { this.#watching.abort(); }

  /** Asks now; without a server the last list stays. */
  async refresh() {
    const people = await this.#api.people().catch(() => undefined);
    if (!people) return;
    const others = people.filter((person) => person.userName !== this.#me.userName)
      .sort((a, b) => a.fullName.localeCompare(b.fullName) || a.userName.localeCompare(b.userName));
    if (JSON.stringify(others) === JSON.stringify(this.people)) return;
    await this.#look(others);
    this.people = others;
    this.dispatchEvent(new Event('change'));
  }

  /** @param {Person} person whose new keys are theirs indeed */
  async acceptKeys(person) {
    if (hasKeys(person)) await this.#pins.accept(person);
    this.changedKeys.delete(person.userName);
    this.dispatchEvent(new Event('change'));
  }

  /** @param {Person[]} people */
  async #look(people) {
    for (const person of people) {
      // Where nothing can be stored (a private window) nothing can be compared.
      if (!hasKeys(person) || await this.#pins.matches(person).catch(() => true)) this.changedKeys.delete(person.userName);
      else this.changedKeys.add(person.userName);
    }
  }

  /** @param {string} userName */
  named(userName) { return this.people?.find((person) => person.userName === userName); }

  /** @param {string} address a SIP URI, whatever parameters it carries */
  at(address) { return this.people?.find((person) => sameAddress(person.address, address)); }
}

/** @param {Person} person @returns {person is import('./api.js').JoinedPerson} whether they have joined in a browser: else they have telephones alone */
export function hasKeys(person) { return person.signingPublic !== undefined; }
