import { sameAddress } from './address.js';
import { AgentLines } from './agent-line.js';
import { CallSession } from './call-session.js';
import { Registration } from './registration.js';

/** @typedef {import('./agent.js').Agent} Agent */
/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./devices.js').Devices} Devices */
/** @typedef {import('./peer.js').Peer} Peer */
/** @typedef {import('./tab.js').Tab} Tab */
/** @typedef {{ address: string, fullName: string }} Callee */
/** @typedef {{ call: number, fromName: string, fromURI: string, sdp: string, replaces: number | null }} Incoming */

/** RFC 3261 §21: answers of ours. */
const BUSY_HERE = 486, NOT_ACCEPTABLE_HERE = 488;

/** Agent events that belong to a call, and the methods of CallSession that take them. */
const CALL_EVENTS = /** @type {const} */ (
  ['progress', 'answered', 'offered', 'offerAnswered', 'offerFailed', 'candidates', 'ended']);

/**
 * Joins the agent, its connection and the calls. At most one call goes on in a browser; others are told that it is busy.
 *
 * Fires `callchange` (which call is on), `incoming` (CustomEvent, detail the ringing CallSession), and what Registration fires.
 */
export class Phone extends EventTarget {
  /** @type {CallSession | undefined} the call that is on, or the last one until it is put away */
  call;
  #parts;
  #registration;
  #lines;
  #sessions = /** @type {Map<number, CallSession>} */ (new Map());
  #lastNumber = 0;

  /** @param {{ agent: Agent, connection: Connection, devices: Devices, tab: Tab, makePeer: () => Peer, nameOf: (address: string, name: string) => string }} parts */
  constructor(parts) {
    super();
    this.#parts = parts;
    const { agent, connection } = parts;
    this.#lines = new AgentLines(agent);
    this.#registration = new Registration(agent, connection);
    this.#registration.addEventListener('statuschange', () => this.#statusChanged());
    this.#registration.addEventListener('refused', (event) =>
      this.dispatchEvent(new CustomEvent('refused', { detail: /** @type {CustomEvent} */ (event).detail })));
    /** @param {string} name @param {(detail: any) => unknown} react */
    const on = (name, react) => agent.addEventListener(name, (event) => react(/** @type {CustomEvent} */ (event).detail));
    on('incoming', (incoming) => this.#incoming(incoming));
    on('restarted', () => this.#agentRestarted());
    on('failed', () => this.#agentRestarted());
    for (const name of CALL_EVENTS) on(name, (detail) => this.#sessions.get(detail.call)?.[name](detail));
  }

  /** Whether the server rings us and takes our calls. */
  get isRegistered() { return this.#registration.isRegistered; }
  /** Whether the server is being looked for again. */
  get isReconnecting() { return this.#registration.isReconnecting; }

  /** Ends everything: signing out, or the page going away. */
  stop() {
    for (const session of this.#sessions.values()) session.hangUp();
    this.#registration.end();
  }

  /** @param {Callee} callee @param {{ video: boolean }} how @returns {CallSession | undefined} nothing while another call is on */
  dial(callee, how) {
    if (this.call && !this.call.isOver) return undefined;
    const session = this.#add(++this.#lastNumber, callee.fullName, callee.address, 'outgoing');
    this.#setCall(session);
    session.dial(how);
    return session;
  }

  /** @param {CallSession} session a ringing call; one that we are just making ends @param {{ video: boolean }} how */
  answer(session, how) {
    if (session.state !== 'incoming') return;
    this.call?.hangUp();
    this.#setCall(session);
    session.answer(how);
  }

  /** Puts an ended call away. */
  dismiss() { if (this.call?.isOver) this.#setCall(undefined); }

  /** @param {Incoming} incoming */
  async #incoming({ call, fromName, fromURI, sdp }) {
    const { agent, tab, nameOf } = this.#parts;
    const session = this.#add(call, nameOf(fromURI, fromName), fromURI, 'incoming');
    // Two who call each other at the same moment are not busy: either may answer.
    const isMutual = this.call && !this.call.isOver && this.call.state !== 'active' && sameAddress(this.call.address, fromURI);
    if (!isMutual && (this.#isBusy(session) || await tab.isInCall())) return session.decline(BUSY_HERE);
    try {
      await session.ring(sdp);
    } catch {
      agent.reject({ call, status: NOT_ACCEPTABLE_HERE });
      return session.ended({ cause: 'notAcceptable', status: NOT_ACCEPTABLE_HERE, reason: '' });
    }
    if (session.state === 'incoming') this.dispatchEvent(new CustomEvent('incoming', { detail: session }));
  }

  /** @param {CallSession} newcomer */
  #isBusy(newcomer) {
    return [...this.#sessions.values()].some((session) => session !== newcomer && !session.isOver);
  }

  /** @param {number} id @param {string} name @param {string} address @param {'outgoing' | 'incoming'} direction */
  #add(id, name, address, direction) {
    const { devices, makePeer, tab } = this.#parts;
    const session = new CallSession({
      id, name, address, devices, peer: makePeer(), agent: this.#lines.open(),
      isOnline: () => this.isRegistered, untilOnline: () => this.#registration.untilOnline(),
    }, direction);
    this.#sessions.set(id, session);
    const over = new AbortController();
    session.addEventListener('statechange', () => {
      if (session.isOver) {
        over.abort();
        if (this.#sessions.get(id) === session) this.#sessions.delete(id);
      } else if (session.state === 'answering') {
        tab.enterCall(over.signal);
      }
    });
    if (direction === 'outgoing') tab.enterCall(over.signal);
    return session;
  }

  /** Calls that people are in go on without their signalling; what only rang is over. */
  #agentRestarted() {
    this.#lines.cut();
    this.#registration.lose();
    for (const session of this.#sessions.values()) {
      if (session.state !== 'active') session.ended({ cause: 'failed', status: 0, reason: '' });
    }
    this.#sessions.clear();
  }

  /** @param {CallSession | undefined} session */
  #setCall(session) {
    this.call = session;
    this.dispatchEvent(new Event('callchange'));
  }

  #statusChanged() {
    this.dispatchEvent(new Event('statuschange'));
    if (this.isRegistered) for (const session of this.#sessions.values()) session.online();
  }
}
