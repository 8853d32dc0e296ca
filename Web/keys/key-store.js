import { inStore } from './database.js';

/** @typedef {import('./identity.js').Identity} Identity */

/** The signed-in person's keys on this device. CryptoKeys are stored as such: they stay unreadable there. */
export class KeyStore {
  /** @param {string} userName @param {Identity} identity */
  async save(userName, identity) { await inStore('keys', 'readwrite', (keys) => keys.put(identity, userName)); }

  /** @param {string} userName @returns {Promise<Identity | undefined>} */
  load(userName) { return inStore('keys', 'readonly', (keys) => keys.get(userName)); }

  /** Forgets everybody's keys. */
  async clear() { await inStore('keys', 'readwrite', (keys) => keys.clear()); }
}
