import { COMMANDS, CONFIGURATION, decodeOutput, encode, refusal } from './frames.js';

/**
 * @typedef {import('./frames.js').Fields} Fields
 * @typedef {string | null} Refusal null when the command was accepted, else the name of a `CommandError` or `FrameError`
 *
 * @typedef {object} Configuration
 * @property {string} aor the address of record, `sip:anna@example.org`
 * @property {string} [displayName]
 * @property {string} [authUser] the digest user name, when it is not the user part of `aor`
 * @property {string | null} [password] null: a challenge ends the request
 * @property {string} [instanceID] `urn:uuid:…` of this device
 * @property {'udp' | 'tcp' | 'tls' | 'ws' | 'wss'} transport
 * @property {string} sentBy the host in Via: a random name under `.invalid`
 * @property {string} [contactHost]
 * @property {string} [contactUser]
 * @property {string} [registrar]
 * @property {string} [outboundProxy]
 * @property {number} [expires] seconds
 * @property {number} [sessionExpires] seconds; 0: no session timer
 * @property {string} [userAgentHeader]
 * @property {'off' | 'half' | 'full'} [trickle]
 *
 * @typedef {object} Exports what Sources/BrowserPhone and its runtime export
 * @property {WebAssembly.Memory} memory
 * @property {(size: number) => number} hearth_allocate
 * @property {(pointer: number, size: number) => void} hearth_free
 * @property {(pointer: number, count: number, now: number) => number} hearth_start
 * @property {(pointer: number, count: number, now: number) => number} hearth_command
 * @property {(pointer: number, count: number, now: number) => void} hearth_received
 * @property {(now: number) => void} hearth_connected
 * @property {(now: number) => void} hearth_disconnected
 * @property {(now: number) => void} hearth_timeout
 * @property {() => number} hearth_deadline
 * @property {() => number} hearth_poll
 * @property {() => number} hearth_output
 *
 * @typedef {object} Tools the clock, to be told by tests
 * @property {() => number} now milliseconds; never goes back
 * @property {(body: () => void, milliseconds: number) => unknown} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */

/** What a phone does for which no page says otherwise. */
const DEFAULTS = { expires: 600, sessionExpires: 1800, trickle: 'full' };
/** The longest wait a timer takes, in milliseconds. */
const LONGEST_TIMER = 0x7fffffff;
/** How many restarts may follow each other without a working minute between them, before we stop trying. */
const MOST_RESTARTS = 5, WORKING = 60_000;

/** @type {Tools} */
const BROWSER = {
  now: () => performance.now(),
  setTimeout: (body, milliseconds) => setTimeout(body, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer),
};

/**
 * The phone: Swift's `UserAgent`, run by WebAssembly. Bytes and commands in, bytes and events out, one timer.
 *
 * Fires a CustomEvent for each of `OUTPUTS` in frames.js, named as there: `send` with the bytes for the server as its
 * detail, the others with their fields. A trap inside makes a fresh phone with the same configuration and fires
 * `restarted`: calls it knew are then gone for it. Past a few restarts in a row it fires `failed` and does nothing more.
 */
export class Agent extends EventTarget {
  #tools;
  /** @type {WebAssembly.Module | undefined} */
  #module;
  /** @type {Exports | undefined} */
  #phone;
  /** @type {Uint8Array | undefined} the frame of the configuration, for restarts */
  #configuration;
  #isConnected = false;
  /** @type {unknown} */
  #timer;
  /** @type {{ name: string, detail: any }[]} */
  #outputs = [];
  #isDispatching = false;
  #restarts = 0;
  #lastRestart = -Infinity;

  /** @param {Partial<Tools>} [tools] */
  constructor(tools = {}) {
    super();
    this.#tools = { ...BROWSER, ...tools };
  }

  /**
   * Compiles the phone; wait for it before `start`.
   *
   * @param {string | URL | Uint8Array} source where hearth.wasm is, or its bytes
   */
  async load(source) {
    if (source instanceof Uint8Array) {
      this.#module = await WebAssembly.compile(/** @type {BufferSource} */ (source));
    } else {
      this.#module = await WebAssembly.compileStreaming(fetch(source));
    }
  }

  /**
   * Makes the phone, in place of one started before.
   *
   * @param {Configuration} configuration
   * @returns {Refusal}
   */
  start(configuration) {
    this.#configuration = encode(CONFIGURATION, { ...DEFAULTS, ...configuration });
    this.#isConnected = false;
    return this.#begin();
  }

  /** Ends the phone without a word to anybody. */
  stop() {
    this.#phone = undefined;
    this.#configuration = undefined;
    this.#outputs = [];
    this.#tools.clearTimeout(this.#timer);
  }

  /** The WebSocket is up. */
  connected() {
    this.#isConnected = true;
    this.#enter((phone, now) => phone.hearth_connected(now));
  }

  disconnected() {
    this.#isConnected = false;
    this.#enter((phone, now) => phone.hearth_disconnected(now));
  }

  /** @param {Uint8Array | ArrayBuffer | string} message one message of the WebSocket */
  received(message) {
    const bytes = typeof message === 'string' ? new TextEncoder().encode(message)
      : message instanceof Uint8Array ? message : new Uint8Array(message);
    this.#enter((phone, now) => this.#pass(phone, bytes, (pointer) => phone.hearth_received(pointer, bytes.length, now)));
  }

  register() { return this.#command('register', {}); }
  unregister() { return this.#command('unregister', {}); }
  /** @param {{ call: number, to: string, offer: string, replaces?: number | null }} fields `call` below 2³¹ */
  call(fields) { return this.#command('call', fields); }
  /** @param {{ call: number, sdp: string }} fields */
  answer(fields) { return this.#command('answer', fields); }
  /** @param {{ call: number, status: number }} fields */
  reject(fields) { return this.#command('reject', fields); }
  /** @param {{ call: number }} fields */
  hangUp(fields) { return this.#command('hangUp', fields); }
  /** @param {{ call: number, sdp: string }} fields */
  offer(fields) { return this.#command('offer', fields); }
  /** @param {{ call: number, sdp: string }} fields */
  answerOffer(fields) { return this.#command('answerOffer', fields); }
  /** @param {{ call: number, status: number }} fields */
  rejectOffer(fields) { return this.#command('rejectOffer', fields); }
  /** @param {{ call: number, fragment: string }} fields */
  candidates(fields) { return this.#command('candidates', fields); }
  /** @param {{ call: number, to: string }} fields */
  transfer(fields) { return this.#command('transfer', fields); }
  /** @param {{ call: number, other: number }} fields */
  transferTo(fields) { return this.#command('transferTo', fields); }
  /** @param {{ call: number, new: number, offer: string }} fields */
  acceptTransfer(fields) { return this.#command('acceptTransfer', fields); }
  /** @param {{ call: number, status: number }} fields */
  rejectTransfer(fields) { return this.#command('rejectTransfer', fields); }
  /** @param {{ call: number, signal: string, milliseconds: number }} fields */
  dtmf(fields) { return this.#command('dtmf', fields); }
  /** @param {{ call: number, contentType: string, body: string | Uint8Array }} fields */
  info(fields) { return this.#command('info', fields); }
  /** @param {{ id: number, to: string, contentType: string, body: string | Uint8Array }} fields */
  message(fields) { return this.#command('message', fields); }
  /** @param {{ id: number, call: number, contentType: string, body: string | Uint8Array }} fields */
  callMessage(fields) { return this.#command('callMessage', fields); }
  /** @param {{ id: number, to: string, event: string, accept: string, expires: number }} fields */
  subscribe(fields) { return this.#command('subscribe', fields); }
  /** @param {{ id: number }} fields */
  unsubscribe(fields) { return this.#command('unsubscribe', fields); }
  /** @param {{ id: number, event: string, contentType: string, body: string | Uint8Array, expires: number }} fields */
  publish(fields) { return this.#command('publish', fields); }
  /** @param {{ id: number, to: string }} fields */
  options(fields) { return this.#command('options', fields); }

  /** @param {keyof typeof COMMANDS} name @param {Fields} fields @returns {Refusal} */
  #command(name, fields) {
    const frame = encode(COMMANDS[name], fields);
    return this.#enter((phone, now) =>
      refusal(this.#pass(phone, frame, (pointer) => phone.hearth_command(pointer, frame.length, now)))) ?? null;
  }

  /**
   * A new instance, started and, when the WebSocket is up, connected.
   *
   * @returns {Refusal}
   */
  #begin() {
    if (!this.#module || !this.#configuration) return 'notStarted';
    const frame = this.#configuration;
    /** @type {WebAssembly.Memory | undefined} */
    let memory;
    const instance = new WebAssembly.Instance(this.#module, {
      env: {
        /** @param {number} pointer @param {number} count */
        hearth_random: (pointer, count) => {
          if (memory) crypto.getRandomValues(new Uint8Array(memory.buffer, pointer, count));
        },
      },
    });
    const phone = /** @type {Exports} */ (/** @type {unknown} */ (instance.exports));
    memory = phone.memory;
    this.#phone = phone;
    return this.#enter((_, now) => {
      const result = this.#pass(phone, frame, (pointer) => phone.hearth_start(pointer, frame.length, now));
      if (result === 0 && this.#isConnected) phone.hearth_connected(now);
      return refusal(result);
    }) ?? null;
  }

  /**
   * Lends bytes to the phone for one call.
   *
   * @template T
   * @param {Exports} phone @param {Uint8Array} bytes @param {(pointer: number) => T} use
   */
  #pass(phone, bytes, use) {
    const pointer = phone.hearth_allocate(bytes.length);
    new Uint8Array(phone.memory.buffer, pointer, bytes.length).set(bytes);
    const result = use(pointer);
    phone.hearth_free(pointer, bytes.length);
    return result;
  }

  /**
   * Every way into the phone: takes what it gives out, sets the timer, and starts anew after a trap.
   *
   * @template T
   * @param {(phone: Exports, now: number) => T} input
   * @returns {T | 'restarted' | 'notStarted'}
   */
  #enter(input) {
    const phone = this.#phone;
    if (!phone) return 'notStarted';
    let result;
    try {
      result = input(phone, this.#tools.now());
      for (let count = phone.hearth_poll(); count > 0; count = phone.hearth_poll()) {
        this.#outputs.push(decodeOutput(new Uint8Array(phone.memory.buffer, phone.hearth_output(), count)));
      }
      this.#setTimer(phone.hearth_deadline());
    } catch (error) {
      this.#restart(error);
      return 'restarted';
    }
    this.#dispatch();
    return result;
  }

  /** @param {number} deadline */
  #setTimer(deadline) {
    this.#tools.clearTimeout(this.#timer);
    if (deadline === Infinity) return;
    const wait = Math.min(Math.max(0, Math.ceil(deadline - this.#tools.now())), LONGEST_TIMER);
    this.#timer = this.#tools.setTimeout(() => this.#enter((phone, now) => phone.hearth_timeout(now)), wait);
  }

  /** A listener may give commands; what they bring about comes after what is already waiting. */
  #dispatch() {
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    for (let output = this.#outputs.shift(); output; output = this.#outputs.shift()) {
      const detail = output.name === 'send' ? output.detail.message : output.detail;
      this.dispatchEvent(new CustomEvent(output.name, { detail }));
    }
    this.#isDispatching = false;
  }

  /** @param {unknown} error */
  #restart(error) {
    this.#phone = undefined;
    this.#tools.clearTimeout(this.#timer);
    const now = this.#tools.now();
    this.#restarts = now - this.#lastRestart < WORKING ? this.#restarts + 1 : 1;
    this.#lastRestart = now;
    const failed = this.#restarts > MOST_RESTARTS;
    this.#outputs.push({ name: failed ? 'failed' : 'restarted', detail: { error: String(error) } });
    if (!failed) this.#begin();
    this.#dispatch();
  }
}
