import { CallFacts } from './call-facts.js';
import { CallMedia } from './call-media.js';

/** @typedef {import('./peer.js').Peer} Peer */
/** @typedef {import('./devices.js').Devices} Devices */
/** @typedef {import('./agent-line.js').CallAgent} CallAgent */
/** @typedef {import('./call-facts.js').CallState} CallState */
/** @typedef {import('./call-facts.js').Ending} Ending */
/** @typedef {{ id: number, name: string, address: string, agent: CallAgent, peer: Peer, devices: Devices,
 *   isOnline: () => boolean, untilOnline: () => Promise<boolean> }} CallParts */

/** RFC 3261 §21.1.2: somebody's device rings. Other provisional answers (183) say less. */
const RINGING = 180;

/**
 * One call, from the first ring to the last word:
 *
 *     calling -> ringing -> active -> ended        we call
 *     incoming -> answering -> active -> ended     we are called
 */
export class CallSession extends CallFacts {
  #parts;
  #media;

  /** @param {CallParts} parts @param {'outgoing' | 'incoming'} direction */
  constructor(parts, direction) {
    const media = new CallMedia(parts, direction === 'outgoing');
    super(parts, direction, media);
    this.#parts = parts;
    this.#media = media;
    media.addEventListener('change', () => this.dispatchEvent(new Event('change')));
    media.addEventListener('failed', (event) => this.#abort(/** @type {CustomEvent} */ (event).detail));
  }

  // What the person does

  /** @param {{ video: boolean }} how devices open while the offer is made, unless the browser has to ask first */
  async dial({ video }) {
    const { id, agent, address, untilOnline } = this.#parts;
    const { own, peer, negotiation } = this.#media;
    const opening = own.open(video);
    const [granted, online] = await Promise.all([own.granted(video), untilOnline()]);
    if (!online) return this.#finish({ cause: 'offline', status: 0, reason: '' });
    if (!granted) await opening;
    if (this.problems.audio) return this.#withoutMicrophone();
    await negotiation.begin(async () => {
      const offer = await peer.offer();
      if (!this.isOver && agent.call({ call: id, to: address, offer })) this.#abort('failed');
    });
    await opening;
    if (this.problems.audio && !this.isOver) {
      agent.hangUp({ call: id });
      this.#withoutMicrophone();
    }
  }

  /**
   * Prepares an incoming call.
   *
   * @param {string} sdp empty when the caller wants our offer
   * @returns {Promise<void>} fails when the offer cannot be understood
   */
  ring(sdp) { return this.#media.negotiation.takeFirst(sdp); }

  /** @param {{ video: boolean }} how without a microphone, too: then we listen */
  async answer({ video }) {
    if (this.state !== 'incoming') return;
    this.#enter('answering');
    const { own, negotiation } = this.#media;
    const opening = own.open(video);
    if (!await own.granted(video)) await opening;
    await negotiation.answerFirst();
    this.#activate();
    await opening;
  }

  /** @param {number} [status] 603 on all devices of ours; 486 says that we are in another call */
  decline(status = 603) {
    if (this.isOver) return;
    this.#parts.agent.reject({ call: this.id, status });
    this.#finish({ cause: 'declined', status, reason: '' });
  }

  hangUp() { this.#abort(this.state === 'active' ? 'hungUp' : 'cancelled'); }

  /** @param {boolean} isMuted */
  setMuted(isMuted) { return this.#media.setMuted(isMuted); }
  /** @param {boolean} isOn pictures in an audio call too */
  setCamera(isOn) { return this.#media.setCamera(isOn); }

  // What the agent tells

  /** @param {{ status: number, sdp: string }} news */
  progress({ status, sdp }) {
    if (status === RINGING && this.state === 'calling') this.#enter('ringing');
    this.hasRung ||= status === RINGING;
    if (sdp) this.#media.negotiation.takeEarlyAnswer(sdp);
  }

  /** @param {{ sdp: string }} news */
  async answered({ sdp }) {
    this.#activate();
    await this.#media.negotiation.established(sdp);
  }

  /** @param {{ sdp: string }} news */
  offered({ sdp }) { return this.#media.negotiation.offered(sdp); }
  /** @param {{ sdp: string }} news */
  offerAnswered({ sdp }) { return this.#media.negotiation.offerAnswered(sdp); }
  /** @param {{ status: number }} news */
  offerFailed({ status }) { return this.#media.negotiation.offerFailed(status); }
  /** @param {{ fragment: string }} news */
  candidates({ fragment }) { return this.#media.negotiation.candidates(fragment); }
  /** @param {Ending} ending */
  ended({ cause, status, reason }) { this.#finish({ cause, status, reason }); }

  /** The server is back after it was gone. */
  online() { this.#media.online(); }

  #activate() {
    if (this.isOver || this.state === 'active') return;
    this.answeredAt = performance.now();
    this.#enter('active');
    this.#media.begin();
  }

  #withoutMicrophone() { this.#finish({ cause: 'noMicrophone', status: 0, reason: '', problem: this.problems.audio }); }

  /** @param {string} cause */
  #abort(cause) {
    if (this.isOver) return;
    this.#parts.agent.hangUp({ call: this.id });
    this.#finish({ cause, status: 0, reason: '' });
  }

  /** @param {Ending} ending */
  #finish(ending) {
    if (this.isOver) return;
    this.ending = ending;
    this.#media.close();
    this.#enter('ended');
  }

  /** @param {CallState} state */
  #enter(state) {
    this.state = state;
    this.dispatchEvent(new Event('statechange'));
  }
}
