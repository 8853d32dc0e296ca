import { CandidateExchange } from './candidate-exchange.js';
import { PictureSize } from './picture-size.js';

/** @typedef {'audio' | 'video'} Kind */
/** @typedef {{ iceServers?: RTCIceServer[], waitsForCandidates?: boolean }} PeerOptions  The latter for peers that take none later. */
/** @typedef {{ RTCPeerConnection: typeof RTCPeerConnection, MediaStream: typeof MediaStream }} MediaTools */

/** @type {Kind[]} In the order of the description's lines. */
const KINDS = ['audio', 'video'];

/**
 * The media of one call: an RTCPeerConnection with one transceiver for sound and one for pictures, kept for the whole call.
 * A kind that is not sent has no track, and its direction says so.
 *
 * Fires `candidates` (CustomEvent, detail a fragment), `negotiationneeded`, `pathchange` and `mediachange`.
 */
export class Peer extends EventTarget {
  /** What arrives. */
  remote;
  /** Whether the other side asked us to be silent although we have sound to send. */
  isHeld = false;
  connection;
  #outgoing;
  #transceivers = /** @type {Partial<Record<Kind, RTCRtpTransceiver>>} */ ({});
  #tracks = /** @type {Record<Kind, MediaStreamTrack | null>} */ ({ audio: null, video: null });
  #sends = { audio: true, video: false };
  #announced = /** @type {Set<string>} */ (new Set());
  #waitsForCandidates;
  #exchange;
  #pictures = new PictureSize(() => this.#transceivers.video?.sender);

  /** @param {PeerOptions} options @param {MediaTools} [tools] */
  constructor({ iceServers = [], waitsForCandidates = false }, tools = globalThis) {
    super();
    this.#waitsForCandidates = waitsForCandidates;
    this.remote = new tools.MediaStream();
    this.#outgoing = new tools.MediaStream();
    this.connection = new tools.RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
    const { connection } = this;
    const tell = (/** @type {string} */ name, detail = '') => this.dispatchEvent(new CustomEvent(name, { detail }));
    this.#exchange = new CandidateExchange(connection, (fragment) => tell('candidates', fragment));
    connection.addEventListener('track', ({ track }) => this.#announced.add(track.kind));
    connection.addEventListener('negotiationneeded', () => tell('negotiationneeded'));
    connection.addEventListener('connectionstatechange', () => {
      if (this.path === 'connected') this.#pictures.grow();
      tell('pathchange');
    });
  }

  /** @returns {RTCPeerConnectionState} */
  get path() { return this.connection.connectionState; }
  /** Whether the offer that rings wants to send pictures. */
  get announcesVideo() { return this.#announced.has('video'); }
  /** @param {Kind} kind */
  receives(kind) { return /recv/.test(this.#transceivers[kind]?.currentDirection ?? ''); }
  /** @param {Kind} kind */
  sends(kind) { return /send/.test(this.#transceivers[kind]?.currentDirection ?? ''); }

  /** @param {Kind} kind @param {boolean} sends what we mean to send from the next description on */
  send(kind, sends) {
    this.#sends[kind] = sends;
    // A peer that once refused pictures has stopped their transceiver for good.
    if (this.#transceivers[kind]?.direction === 'stopped') delete this.#transceivers[kind];
    const transceiver = this.#transceivers[kind];
    if (transceiver) transceiver.direction = sends ? 'sendrecv' : 'recvonly';
    else if (sends && this.connection.remoteDescription) this.#add(kind);
  }

  /** @param {Kind} kind @param {MediaStreamTrack | null} track */
  async setTrack(kind, track) {
    this.#tracks[kind] = track;
    await this.#transceivers[kind]?.sender.replaceTrack(track);
  }

  /** An offer: the first, or a new one after something changed. @returns {Promise<string>} */
  async offer() {
    if (!this.connection.currentRemoteDescription) for (const kind of KINDS) if (!this.#transceivers[kind]) this.#add(kind);
    return this.#describe();
  }

  /** @param {string} sdp */
  async takeOffer(sdp) {
    await this.connection.setRemoteDescription({ type: 'offer', sdp });
    for (const transceiver of this.connection.getTransceivers()) {
      const kind = /** @type {Kind} */ (transceiver.receiver.track.kind);
      if (this.#transceivers[kind] || transceiver.mid === null || transceiver.direction === 'stopped') continue;
      this.#transceivers[kind] = transceiver;
      transceiver.sender.setStreams?.(this.#outgoing);
      if (this.#tracks[kind]) await transceiver.sender.replaceTrack(this.#tracks[kind]);
    }
    this.#described();
  }

  /** The answer to the offer taken. */
  async answer() {
    for (const kind of KINDS) this.send(kind, this.#sends[kind]);
    const answer = await this.#describe();
    this.#pictures.begin();
    return answer;
  }

  /** @param {string} sdp @param {'answer' | 'pranswer'} [type] */
  async takeAnswer(sdp, type = 'answer') {
    await this.connection.setRemoteDescription({ type, sdp });
    this.#described();
  }

  /** Takes the offer back that the other side would not answer. */
  async rollback() {
    if (this.connection.signalingState === 'have-local-offer') await this.connection.setLocalDescription({ type: 'rollback' });
  }

  /** The next offer looks for a new path (ICE restart). */
  restart() { this.connection.restartIce(); }
  /** @param {string} fragment */
  addCandidates(fragment) { this.#exchange.add(fragment); }

  close() {
    this.#exchange.stop();
    this.#pictures.stop();
    this.connection.close();
    for (const track of this.remote.getTracks()) this.remote.removeTrack(track);
  }

  /** @param {Kind} kind */
  #add(kind) {
    this.#transceivers[kind] = this.connection.addTransceiver(this.#tracks[kind] ?? kind, {
      direction: this.#sends[kind] ? 'sendrecv' : 'recvonly', streams: [this.#outgoing],
      ...kind === 'video' && this.#pictures.encodings,
    });
  }

  async #describe() {
    const describe = () => this.connection.setLocalDescription();
    await (this.#waitsForCandidates ? this.#exchange.complete(describe) : describe());
    this.#described();
    return this.connection.localDescription?.sdp ?? '';
  }

  /** After every description: which tracks arrive now. */
  #described() {
    for (const kind of KINDS) {
      const track = this.#transceivers[kind]?.receiver.track;
      if (!track) continue;
      if (this.receives(kind)) this.remote.addTrack(track);
      else this.remote.removeTrack(track);
    }
    if (this.connection.signalingState === 'stable') this.isHeld = this.#sends.audio && !this.sends('audio');
    this.dispatchEvent(new Event('mediachange'));
    this.#exchange.resume();
  }
}
