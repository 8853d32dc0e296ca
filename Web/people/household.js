/** @typedef {import('./api.js').API} API */
/** @typedef {import('./api.js').Person} Person */
/** @typedef {import('./api.js').Me} Me */

/** How often a visible page asks who can be reached, in milliseconds. */
const REFRESH = 15_000;

/** The people one can call: everybody but oneself, by name. Fires `change`. */
export class Household extends EventTarget {
  /** @type {Person[] | undefined} undefined until the first answer */
  people;
  #api;
  #me;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  /** @param {API} api @param {Me} me */
  constructor(api, me) {
    super();
    this.#api = api;
    this.#me = me;
  }

  start() {
    this.#timer ??= setInterval(() => { if (globalThis.document?.visibilityState !== 'hidden') this.refresh(); }, REFRESH);
    return this.refresh();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

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
