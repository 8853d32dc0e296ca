// Loaded before the tests (`node --import`): a call's 45 seconds of ringing need not be over before a test file may end.
const original = globalThis.setTimeout;
Object.assign(globalThis, {
  setTimeout(/** @type {() => void} */ body, delay = 0) {
    const timer = /** @type {any} */ (original(body, delay));
    if (delay > 5_000) timer.unref();
    return timer;
  },
});
