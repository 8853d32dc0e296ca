/** @typedef {import('./call-media.js').CallMedia} CallMedia */
/** @typedef {import('./devices.js').DeviceProblem} DeviceProblem */
/** @typedef {'calling' | 'ringing' | 'incoming' | 'answering' | 'active' | 'ended'} CallState */
/** @typedef {{ cause: string, status: number, reason: string, problem?: DeviceProblem }} Ending */

/** What a person can see of a call. Fires `statechange` for the state and `change` for everything else. */
export class CallFacts extends EventTarget {
  /** @type {CallState} */
  state;
  /** @type {number | undefined} when it was answered, by `performance.now()` */
  answeredAt;
  /** @type {Ending | undefined} */
  ending;
  /** Whether a device of the other side rang. */
  hasRung = false;
  #media;

  /** @param {{ id: number, name: string, address: string }} who @param {'outgoing' | 'incoming'} direction @param {CallMedia} media */
  constructor({ id, name, address }, direction, media) {
    super();
    this.id = id;
    this.name = name;
    this.address = address;
    this.direction = direction;
    this.state = direction === 'outgoing' ? 'calling' : 'incoming';
    this.#media = media;
  }

  get isOver() { return this.state === 'ended'; }
  get remoteStream() { return this.#media.peer.remote; }
  get peerConnection() { return this.#media.peer.connection; }
  get isMuted() { return this.#media.own.isMuted; }
  get isCameraOn() { return this.#media.own.isCameraOn; }
  get cameraTrack() { return this.#media.own.cameraTrack; }
  /** Why we are not heard or seen. */
  get problems() { return this.#media.own.problems; }
  /** Which of our devices went away and was replaced by another just now. */
  get replaced() { return this.#media.own.replaced; }
  /** Whether the other side would not take our camera. */
  get isCameraRefused() { return this.#media.isCameraRefused; }
  get showsRemoteVideo() { return !this.isOver && this.#media.peer.receives('video'); }
  /** While it rings: whether the caller sends pictures. */
  get isVideoOffered() { return this.#media.peer.announcesVideo; }
  get isHeld() { return this.state === 'active' && this.#media.peer.isHeld; }
  /** Whether sound and pictures have lost their way. */
  get isPathLost() { return this.state === 'active' && ['disconnected', 'failed'].includes(this.#media.peer.path); }
}
