import { decodeBase64url, encodeBase64url } from './base64url.js';
import { inStore } from './database.js';

/** @typedef {{ userName: string, signingPublic: string, agreementPublic: string }} PublicKeys */
/** @typedef {{ get(name: string): Promise<string | undefined>, set(name: string, fingerprint: string): Promise<unknown> }} PinStore */

/** @type {PinStore} */
const DEVICE = {
  get: (name) => inStore('pins', 'readonly', (pins) => pins.get(name)),
  set: (name, fingerprint) => inStore('pins', 'readwrite', (pins) => pins.put(fingerprint, name)),
};

/**
 * Whose keys these are, in 43 characters: SHA-256 over the signing key, then the agreement key. Made here, not believed.
 *
 * @param {PublicKeys} keys
 */
export async function fingerprint({ signingPublic, agreementPublic }) {
  const bytes = [...decodeBase64url(signingPublic), ...decodeBase64url(agreementPublic)];
  return encodeBase64url(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes)));
}

/** Everybody's keys as they were when they were first seen by this person on this device. */
export class Pins {
  #owner;
  #store;

  /** @param {string} owner the user name of whoever is signed in @param {PinStore} [store] */
  constructor(owner, store = DEVICE) {
    this.#owner = owner;
    this.#store = store;
  }

  /** @param {string} userName @param {string} print what is known before the first sight, from the link that invited us */
  async expect(userName, print) { await this.#store.set(`${this.#owner} ${userName}`, print); }

  /** @param {PublicKeys} person @returns {Promise<boolean>} false: these are not the keys we have known them by */
  async matches(person) {
    const print = await fingerprint(person);
    const name = `${this.#owner} ${person.userName}`;
    const known = await this.#store.get(name);
    if (known === undefined) await this.#store.set(name, print);
    return known === undefined || known === print;
  }

  /** @param {PublicKeys} person has said in person that these keys are theirs */
  async accept(person) { await this.expect(person.userName, await fingerprint(person)); }
}
