import { Negotiation } from './negotiation.js';
import { OwnMedia } from './own-media.js';
import { PathWatch } from './path-watch.js';

/** @typedef {import('./peer.js').Peer} Peer */
/** @typedef {import('./devices.js').Devices} Devices */
/** @typedef {import('./devices.js').DeviceProblem} DeviceProblem */
/** @typedef {import('./negotiation.js').CallAgent} CallAgent */
/** @typedef {'calling' | 'ringing' | 'incoming' | 'answering' | 'active' | 'ended'} CallState */
/** @typedef {{ cause: string, status: number, reason: string, problem?: DeviceProblem }} Ending */
/** @typedef {{ id: number, name: string, address: string, agent: CallAgent, peer: Peer, devices: Devices,
 *   isOnline: () => boolean, untilOnline: () => Promise<boolean> }} CallParts */

/** RFC 3261 §21.1.2: somebody's device rings. Other provisional answers (183) say less. */
const RINGING = 180;

/**
 * One call, from the first ring to the last word:
 *
 *     calling -> ringing -> active -> ended        we call
 *     incoming -> answering -> active -> ended     we are called
 *
 * Fires `statechange` for the state and `change` for everything else a person sees.
 */
export class CallSession extends EventTarget {
  /** @type {CallState} */
  state;
  /** @type {number | undefined} when it was answered, by `performance.now()` */
  answeredAt;
  /** @type {Ending | undefined} */
  ending;
  /** Whether a device of the other side rang. */
  hasRung = false;
  /** Whether the other side would not take our camera. */
  isCameraRefused = false;
  #parts;
  #own;
  #negotiation;
  #watch;

  /** @param {CallParts} parts @param {'outgoing' | 'incoming'} direction */
  constructor(parts, direction) {
    super();
    const { id, agent, peer, devices, isOnline } = parts;
    const isCaller = direction === 'outgoing';
    this.#parts = parts;
    this.direction = direction;
    this.state = isCaller ? 'calling' : 'incoming';
    this.#own = new OwnMedia(devices, peer);
    this.#negotiation = new Negotiation({
      id, agent, peer, isCaller, isOnline, refused: () => this.#offerRefused(), failed: () => this.#abort('failed'),
    });
    this.#watch = new PathWatch({ isCaller, restart: () => this.#seekPath(), giveUp: () => this.#abort('networkLost') });
    const changed = () => this.dispatchEvent(new Event('change'));
    this.#own.addEventListener('change', changed);
    peer.addEventListener('mediachange', changed);
    peer.addEventListener('candidates', (event) =>
      agent.candidates({ call: id, fragment: /** @type {CustomEvent} */ (event).detail }));
    peer.addEventListener('pathchange', () => {
      if (this.state === 'active') this.#watch.update(peer.path);
      changed();
    });
  }

  get id() { return this.#parts.id; }
  get name() { return this.#parts.name; }
  get address() { return this.#parts.address; }
  get remoteStream() { return this.#parts.peer.remote; }
  get peerConnection() { return this.#parts.peer.connection; }
  get isOver() { return this.state === 'ended'; }
  get isMuted() { return this.#own.isMuted; }
  get isCameraOn() { return this.#own.isCameraOn; }
  get cameraTrack() { return this.#own.cameraTrack; }
  get problems() { return this.#own.problems; }
  get showsRemoteVideo() { return !this.isOver && this.#parts.peer.receives('video'); }
  /** While it rings: whether the caller sends pictures. */
  get isVideoOffered() { return this.#parts.peer.announcesVideo; }
  get isHeld() { return this.state === 'active' && this.#parts.peer.isHeld; }
  /** Whether sound and pictures have lost their way. */
  get isPathLost() { return this.state === 'active' && ['disconnected', 'failed'].includes(this.#parts.peer.path); }

  // What the person does

  /** @param {{ video: boolean }} how devices open while the offer is made, unless the browser has to ask first */
  async dial({ video }) {
    const { id, agent, peer, address } = this.#parts;
    const opening = this.#own.open(video);
    const [granted, online] = await Promise.all([this.#own.granted(video), this.#parts.untilOnline()]);
    if (!online) return this.#finish({ cause: 'offline', status: 0, reason: '' });
    if (!granted) await opening;
    if (this.problems.audio) return this.#withoutMicrophone();
    await this.#negotiation.begin(async () => {
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
  ring(sdp) { return this.#negotiation.takeFirst(sdp); }

  /** @param {{ video: boolean }} how without a microphone, too: then we listen */
  async answer({ video }) {
    if (this.state !== 'incoming') return;
    this.#enter('answering');
    const opening = this.#own.open(video);
    if (!await this.#own.granted(video)) await opening;
    await this.#negotiation.answerFirst();
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
  async setMuted(isMuted) {
    await this.#own.setMuted(isMuted);
    this.#negotiation.wake();
  }

  /** @param {boolean} isOn pictures in an audio call too: the other side gets a new offer */
  async setCamera(isOn) {
    this.isCameraRefused = false;
    await this.#own.setCamera(isOn);
    this.#negotiation.wake();
  }

  // What the agent tells

  /** @param {{ status: number, sdp: string }} news */
  progress({ status, sdp }) {
    if (status === RINGING && this.state === 'calling') this.#enter('ringing');
    this.hasRung ||= status === RINGING;
    if (sdp) this.#negotiation.takeEarlyAnswer(sdp);
  }

  /** @param {{ sdp: string }} news */
  async answered({ sdp }) {
    this.#activate();
    await this.#negotiation.established(sdp);
  }

  /** @param {{ sdp: string }} news */
  offered({ sdp }) { return this.#negotiation.offered(sdp); }
  /** @param {{ sdp: string }} news */
  offerAnswered({ sdp }) { return this.#negotiation.offerAnswered(sdp); }
  /** @param {{ status: number }} news */
  offerFailed({ status }) { return this.#negotiation.offerFailed(status); }
  /** @param {{ fragment: string }} news */
  candidates({ fragment }) { return this.#negotiation.candidates(fragment); }
  /** @param {Ending} ending */
  ended({ cause, status, reason }) { this.#finish({ cause, status, reason }); }

  /** The server is back after it was gone. */
  online() {
    this.#watch.wake();
    this.#negotiation.wake();
  }

  // Below

  #activate() {
    if (this.isOver || this.state === 'active') return;
    this.answeredAt = performance.now();
    this.#enter('active');
    this.#watch.update(this.#parts.peer.path);
  }

  #seekPath() {
    this.#parts.peer.restart();
    this.#negotiation.wake();
  }

  /** A new offer was not taken: what it brought is taken back. */
  #offerRefused() {
    this.isCameraRefused = this.isCameraOn && !this.#parts.peer.sends('video');
    if (this.isCameraRefused) this.#own.setCamera(false);
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
    this.#watch.stop();
    this.#negotiation.stop();
    this.#own.close();
    this.#parts.peer.close();
    this.#enter('ended');
  }

  /** @param {CallState} state */
  #enter(state) {
    this.state = state;
    this.dispatchEvent(new Event('statechange'));
  }
}
