/** @typedef {import('./api.js').API} API */
/** @typedef {import('./api.js').Person} Person */
/** @typedef {import('./api.js').Me} Me */

/** How often a visible page asks who can be reached, in milliseconds. */
const REFRESH = 5_000;

/** The people one can call: everybody but oneself, by name. Fires `change`. */
export class Household extends EventTarget {
  /** @type {Person[] | undefined} undefined until the first answer */
  people;
  #api;
  #me;
  #watching = new AbortController();

  /** @param {API} api @param {Me} me */
  constructor(api, me) {
    super();
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
    const changed = JSON.stringify(others) !== JSON.stringify(this.people);
    this.people = others;
    if (changed) this.dispatchEvent(new Event('change'));
  }

  /** @param {string} userName */
  named(userName) { return this.people?.find((person) => person.userName === userName); }

  /** @param {string} address a SIP URI, whatever parameters it carries */
  at(address) {
    const bare = (/** @type {string} */ uri) => uri.replace(/^sips?:/i, '').split(/[;?]/)[0].toLowerCase();
    return this.people?.find((person) => bare(person.address) === bare(address));
  }
}
