/**
 * From here to the end of the test `setTimeout` waits for `tick`. Node's own `mock.timers` would do, but that of
 * Node.js 18, which Debian 12 has, calls timers that are due exactly now only a millisecond later.
 * @param {import('node:test').Context} context
 * @returns {{ tick(milliseconds: number): void }} lets time pass; timers that are set meanwhile count
 */
export function mockTimeouts(context) {
  const { setTimeout, clearTimeout } = globalThis;
  /** @type {Map<number, { due: number, body: () => void }>} */
  const waiting = new Map();
  let now = 0, last = 0;
  Object.assign(globalThis, {
    setTimeout(/** @type {() => void} */ body, delay = 0) {
      last += 1;
      waiting.set(last, { due: now + delay, body });
      return last;
    },
    clearTimeout(/** @type {number} */ id) { waiting.delete(id); },
  });
  context.after(() => { Object.assign(globalThis, { setTimeout, clearTimeout }); });
  return {
    tick(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        const [next] = [...waiting].filter(([, { due }]) => due <= end).sort(([, a], [, b]) => a.due - b.due);
        if (!next) break;
        const [id, { due, body }] = next;
        now = due;
        waiting.delete(id);
        body();
      }
      now = end;
    },
  };
}
