/** Looks after the way the media takes: a lost way is sought anew (ICE restart), and given up at last. */

/** How long a way may be gone before it is sought anew, in milliseconds. The callee waits longer, lest both offer at once. */
const FIRST = { connecting: 10_000, disconnected: 2_000, failed: 0 };
const CALLEE_WAITS = 3_000;
/** Between two searches. */
const AGAIN = 8_000;
/** Nobody holds a silent receiver longer. */
const GIVE_UP = 40_000;

export class PathWatch {
  #restart;
  #giveUp;
  #patience;
  /** @type {number | undefined} */
  #since;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {{ isCaller: boolean, restart: () => void, giveUp: () => void }} how */
  constructor({ isCaller, restart, giveUp }) {
    this.#restart = restart;
    this.#giveUp = giveUp;
    this.#patience = isCaller ? 0 : CALLEE_WAITS;
  }

  /** @param {RTCPeerConnectionState} state */
  update(state) {
    if (state === 'connected' || state === 'closed') return this.stop();
    this.#since ??= performance.now();
    const wait = FIRST[state === 'new' ? 'connecting' : state];
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#seek(), wait + this.#patience);
  }

  /** The server is back: a lost way is sought at once. */
  wake() { if (this.#since !== undefined) this.#seek(); }

  stop() {
    clearTimeout(this.#timer);
    this.#since = undefined;
  }

  #seek() {
    clearTimeout(this.#timer);
    if (performance.now() - (this.#since ?? 0) >= GIVE_UP) return this.#giveUp();
    this.#restart();
    this.#timer = setTimeout(() => this.#seek(), AGAIN);
  }
}
