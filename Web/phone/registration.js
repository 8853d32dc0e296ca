/** @typedef {import('./agent.js').Agent} Agent */
/** @typedef {import('./connection.js').Connection} Connection */

/** How long a call waits for a server that is just coming back, in milliseconds. */
const ONLINE_WITHIN = 8_000;
/** RFC 3261 §21: the server does not, or no longer, know who we are. */
const UNAUTHORIZED = 401, FORBIDDEN = 403, PROXY_AUTHENTICATION_REQUIRED = 407;

/**
 * Whether the server rings us and takes our calls: the connection, and the agent's registration over it.
 *
 * Fires `statuschange`, and `refused` (CustomEvent, detail the status) when the server does not know us any more.
 */
export class Registration extends EventTarget {
  isRegistered = false;
  #wasRegistered = false;
  #agent;
  #connection;

  /** @param {Agent} agent @param {Connection} connection */
  constructor(agent, connection) {
    super();
    this.#agent = agent;
    this.#connection = connection;
    connection.addEventListener('message', (event) => agent.received(/** @type {CustomEvent} */ (event).detail));
    connection.addEventListener('statechange', () => this.#connectionChanged());
    agent.addEventListener('send', (event) => connection.send(/** @type {CustomEvent} */ (event).detail));
    agent.addEventListener('registered', () => this.#set(true));
    agent.addEventListener('unregistered', () => this.#set(false));
    agent.addEventListener('registrationFailed', (event) => this.#failed(/** @type {CustomEvent} */ (event).detail.status));
  }

  /** Whether the server is being looked for again. */
  get isReconnecting() { return this.#wasRegistered && !this.isRegistered; }

  /** The agent has forgotten it. */
  lose() { this.#set(false); }

  end() {
    this.#agent.unregister();
    this.#connection.close();
    this.#agent.stop();
  }

  /** @returns {Promise<boolean>} whether calls can be made, at once or soon */
  untilOnline() {
    if (this.isRegistered) return Promise.resolve(true);
    this.#connection.wake();
    return new Promise((resolve) => {
      const settle = () => {
        clearTimeout(timer);
        this.removeEventListener('statuschange', settle);
        resolve(this.isRegistered);
      };
      const timer = setTimeout(settle, ONLINE_WITHIN);
      this.addEventListener('statuschange', settle);
    });
  }

  #connectionChanged() {
    if (this.#connection.state === 'open') return this.#agent.connected();
    this.#agent.disconnected();
    this.#set(false);
  }

  /** @param {number} status */
  #failed(status) {
    this.#set(false);
    if (status === UNAUTHORIZED || status === FORBIDDEN || status === PROXY_AUTHENTICATION_REQUIRED) {
      this.dispatchEvent(new CustomEvent('refused', { detail: status }));
    }
  }

  /** @param {boolean} isRegistered */
  #set(isRegistered) {
    if (isRegistered === this.isRegistered) return;
    this.isRegistered = isRegistered;
    this.#wasRegistered ||= isRegistered;
    this.dispatchEvent(new Event('statuschange'));
  }
}
