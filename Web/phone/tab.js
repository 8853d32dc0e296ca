/** What the tabs of one browser must know of each other, by the browser's own locks: a crashed tab leaves nothing behind. */

const IN_CALL = 'hearth in a call', RINGS = 'hearth rings';

export class Tab {
  #locks;

  /** @param {Pick<LockManager, 'request' | 'query'> | undefined} [locks] undefined: this tab is alone, as far as it can know */
  constructor(locks = globalThis.navigator?.locks) { this.#locks = locks; }

  /**
   * This tab's own number as a device (`urn:uuid:…`): kept when the page is loaded again, new in a tab that was duplicated.
   *
   * @param {Pick<Storage, 'getItem' | 'setItem'>} [storage]
   * @returns {Promise<string>}
   */
  async instance(storage = globalThis.sessionStorage) {
    const kept = storage.getItem('hearth instance');
    if (kept && await this.#hold(kept)) return kept;
    const fresh = `urn:uuid:${crypto.randomUUID()}`;
    await this.#hold(fresh);
    storage.setItem('hearth instance', fresh);
    return fresh;
  }

  /** @param {AbortSignal} over ends the call: till then the other tabs are busy */
  enterCall(over) { this.#while(IN_CALL, over, () => {}); }

  async isInCall() {
    const locks = await this.#locks?.query();
    return !!locks?.held?.some(({ name }) => name === IN_CALL);
  }

  /** @param {AbortSignal} over ends the ringing @param {() => void} ring called when it is this tab's turn: one tab rings for all */
  ring(over, ring) {
    if (this.#locks) this.#while(RINGS, over, ring);
    else ring();
  }

  /** @param {string} name @param {AbortSignal} over @param {() => void} begin */
  #while(name, over, begin) {
    this.#locks?.request(name, { signal: over }, () => new Promise((release) => {
      if (over.aborted) return release(undefined);
      over.addEventListener('abort', release, { once: true });
      begin();
    })).catch(() => {});
  }

  /** @param {string} name @returns {Promise<boolean>} whether this tab has it now, and for as long as it lives */
  async #hold(name) {
    if (!this.#locks) return true;
    return new Promise((resolve) => {
      this.#locks?.request(name, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock && new Promise(() => {});
      }).catch(() => resolve(true));
    });
  }
}
