/** @typedef {import('./identity.js').Identity} Identity */

/** The signed-in person's keys on this device, in IndexedDB. CryptoKeys are stored as such: they stay unreadable there. */
export class KeyStore {
  #factory;

  /** @param {IDBFactory} [factory] */
  constructor(factory = globalThis.indexedDB) { this.#factory = factory; }

  /** @param {string} userName @param {Identity} identity */
  async save(userName, identity) { await this.#run('readwrite', (keys) => keys.put(identity, userName)); }

  /** @param {string} userName @returns {Promise<Identity | undefined>} */
  load(userName) { return this.#run('readonly', (keys) => keys.get(userName)); }

  /** Forgets everybody's keys. */
  async clear() { await this.#run('readwrite', (keys) => keys.clear()); }

  /**
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(keys: IDBObjectStore) => IDBRequest<T>} work
   * @returns {Promise<T>}
   */
  async #run(mode, work) {
    const database = await this.#open();
    try {
      const transaction = database.transaction('keys', mode);
      const request = work(transaction.objectStore('keys'));
      return await new Promise((resolve, reject) => {
        transaction.oncomplete = () => resolve(request.result);
        transaction.onerror = transaction.onabort = () => reject(transaction.error);
      });
    } finally {
      database.close();
    }
  }

  /** @returns {Promise<IDBDatabase>} */
  #open() {
    return new Promise((resolve, reject) => {
      const request = this.#factory.open('hearth', 1);
      request.onupgradeneeded = () => request.result.createObjectStore('keys');
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }
}
