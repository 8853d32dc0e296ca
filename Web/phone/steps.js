/** Work that must not overlap: each step waits for the one before. After `stop()` nothing begins, and nothing fails. */
export class Steps {
  isStopped = false;
  #last = Promise.resolve();

  /**
   * @param {() => Promise<void>} work
   * @param {() => unknown} [otherwise] what to do when it fails; without it the caller is told
   * @returns {Promise<void>}
   */
  add(work, otherwise) {
    const step = this.#last.then(async () => {
      try {
        if (!this.isStopped) await work();
      } catch (error) {
        if (this.isStopped) return;
        if (!otherwise) throw error;
        await otherwise();
      }
    });
    this.#last = step.catch(() => {});
    return step;
  }

  stop() { this.isStopped = true; }
}
