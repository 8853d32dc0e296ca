/**
 * The WebSocket to the server (RFC 7118), opened again whenever it is lost:
 *
 *     closed --open()--> connecting --> open
 *                          ^    \        | lost
 *                   due or |     v       v
 *              woken up    +---- waiting
 */

/** @typedef {'closed' | 'connecting' | 'open' | 'waiting'} ConnectionState */

/** The first wait before trying again and the longest, in milliseconds; each is between half of it and all of it, by chance. */
const FIRST_WAIT = 500, LONGEST_WAIT = 30_000;
/** How long a server may take to accept, in milliseconds. A sleeping laptop's sockets hang otherwise. */
const PATIENCE = 10_000;

/**
 * How long to wait before the next try, in milliseconds. Chance keeps a household's pages from coming back in one instant.
 *
 * @param {number} attempt how many tries have failed in a row, from 0
 * @param {number} chance from 0 to 1
 */
export function backoff(attempt, chance) {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(attempt, 16)) * (0.5 + chance / 2);
}

/** Fires `statechange`, and `message` (a CustomEvent whose detail is the bytes of one message). */
export class Connection extends EventTarget {
  /** @type {ConnectionState} */
  state = 'closed';
  #url;
  #WebSocket;
  #random;
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #attempt = 0;

  /** @param {string} url @param {{ WebSocket?: typeof globalThis.WebSocket, random?: () => number }} [tools] */
  constructor(url, tools = {}) {
    super();
    this.#url = url;
    this.#WebSocket = tools.WebSocket ?? globalThis.WebSocket;
    this.#random = tools.random ?? Math.random;
  }

  open() { if (this.state === 'closed') this.#connect(); }

  close() {
    this.#drop();
    this.#attempt = 0;
    this.#enter('closed');
  }

  /** The network or the person is back: tries at once when it was waiting. */
  wake() { if (this.state === 'waiting') this.#connect(); }

  /** The network changed under the socket: whatever state it says it is in, a new one is needed. */
  renew() { if (this.state !== 'closed') this.#connect(); }

  /** @param {Uint8Array} bytes one message; lost when the connection is down, as a datagram would be */
  send(bytes) { if (this.state === 'open') this.#socket?.send(bytes); }

  #connect() {
    this.#drop();
    const socket = new this.#WebSocket(this.#url, 'sip');
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    const mine = (/** @type {(event: any) => void} */ react) => (/** @type {any} */ event) => {
      if (socket === this.#socket) react(event);
    };
    socket.onopen = mine(() => {
      clearTimeout(this.#timer);
      this.#enter('open');
    });
    socket.onmessage = mine(({ data }) => {
      this.#attempt = 0;
      const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data);
      this.dispatchEvent(new CustomEvent('message', { detail: bytes }));
    });
    socket.onclose = mine(() => this.#lost());
    this.#timer = setTimeout(() => this.#lost(), PATIENCE);
    this.#enter('connecting');
  }

  #lost() {
    this.#drop();
    this.#timer = setTimeout(() => this.#connect(), backoff(this.#attempt, this.#random()));
    this.#attempt += 1;
    this.#enter('waiting');
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  /** @param {ConnectionState} state */
  #enter(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event('statechange'));
  }
}
