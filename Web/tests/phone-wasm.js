/** The phone as built by `swift build`, for tests; `HEARTH_WASM` names another file. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { Agent } from '../phone/agent.js';

export const wasm = readFileSync(
  process.env.HEARTH_WASM ?? new URL('../../.build/debug/hearth_WebBundle.resources/hearth.wasm', import.meta.url));

/** A clock that goes when told to, with its timers. */
export class Clock {
  time = 1000;
  /** @type {Map<number, { due: number, body: () => void }>} */
  #timers = new Map();
  #next = 1;

  now = () => this.time;
  setTimeout = (/** @type {() => void} */ body, /** @type {number} */ milliseconds) => {
    this.#timers.set(this.#next, { due: this.time + milliseconds, body });
    return this.#next++;
  };
  clearTimeout = (/** @type {number} */ timer) => { this.#timers.delete(timer); };

  get timers() { return this.#timers.size; }

  /**
   * Goes on, timer by timer.
   *
   * @param {number} milliseconds
   */
  advance(milliseconds) {
    const end = this.time + milliseconds;
    for (;;) {
      const [first] = [...this.#timers].filter(([, timer]) => timer.due <= end).sort((a, b) => a[1].due - b[1].due);
      if (!first) break;
      this.#timers.delete(first[0]);
      this.time = Math.max(this.time, first[1].due);
      first[1].body();
    }
    this.time = end;
  }
}

/** An agent of a person at example.org that keeps what it fires, `send` as text. */
export class TestPhone {
  /** @type {{ name: string, detail: any }[]} */
  events = [];
  /** @type {string[]} */
  sent = [];
  /** @type {(message: string) => void} */
  wire = () => {};

  /** @param {string} user @param {Clock} clock */
  constructor(user, clock) {
    this.user = user;
    this.agent = new Agent(clock);
    this.agent.addEventListener('send', (event) => {
      const text = new TextDecoder().decode(/** @type {CustomEvent} */ (event).detail);
      this.sent.push(text);
      this.wire(text);
    });
    const names = ['registered', 'registrationFailed', 'unregistered', 'incoming', 'progress', 'answered', 'offered',
      'offerAnswered', 'offerFailed', 'candidates', 'ended', 'transferRequested', 'transferProgress', 'dtmf', 'info',
      'message', 'messageResult', 'notified', 'subscriptionEnded', 'published', 'publishFailed', 'optionsResult',
      'restarted', 'failed'];
    for (const name of names) {
      this.agent.addEventListener(name, (event) => {
        this.events.push({ name, detail: /** @type {CustomEvent} */ (event).detail });
      });
    }
  }

  async start(fields = {}) {
    await this.agent.load(wasm);
    return this.agent.start({
      aor: `sip:${this.user}@example.org`, displayName: this.user, transport: 'wss', sentBy: `${this.user}.invalid`,
      instanceID: 'urn:uuid:00000000-0000-4000-8000-000000000001', ...fields,
    });
  }

  /**
   * The detail of the last event with this name.
   *
   * @param {string} name
   */
  last(name) { return this.events.filter((event) => event.name === name).at(-1)?.detail; }
}

/**
 * The value of a header line of a message.
 *
 * @param {string} message
 * @param {string} name
 */
export function header(message, name) {
  return message.split('\r\n').find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    ?.slice(name.length + 1).trim();
}

/**
 * A response to a request, with more header lines.
 *
 * @param {string} request
 * @param {string} status
 * @param {string[]} more
 */
export function respond(request, status, ...more) {
  const copied = request.split('\r\n\r\n')[0].split('\r\n').filter((line) => /^(via|from|to|call-id|cseq):/i.test(line))
    .map((line) => /^to:/i.test(line) && !/;tag=/i.test(line) ? `${line};tag=server` : line);
  return [`SIP/2.0 ${status}`, ...copied, ...more, 'Content-Length: 0', '', ''].join('\r\n');
}

/**
 * A registrar that accepts everybody, and wires two phones to each other.
 *
 * @param {TestPhone} left
 * @param {TestPhone} right
 */
export function join(left, right) {
  for (const [from, to] of [[left, right], [right, left]]) {
    from.wire = (message) => {
      if (message.startsWith('REGISTER')) {
        from.agent.received(respond(message, '200 OK', `Contact: ${header(message, 'Contact')}`));
      } else {
        to.agent.received(message);
      }
    };
  }
}
