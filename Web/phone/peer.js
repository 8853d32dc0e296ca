import { CandidateList, parseFragment } from './trickle.js';

/** @typedef {'audio' | 'video'} Kind */
/** @typedef {{ RTCPeerConnection: typeof RTCPeerConnection, MediaStream: typeof MediaStream }} MediaTools */

/**
 * Pictures begin at half their size: the first one then needs a quarter of the bits at a moment when nobody knows yet how fast
 * the network is, and is there sooner. They grow to full size this many milliseconds after the way was found.
 */
const FULL_SIZE_AFTER = 2_000, BEGIN_SCALED_BY = 2;
/** Candidates that come within this many milliseconds travel together. */
const GATHER = 10;

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
  /** @type {{ audio?: RTCRtpTransceiver, video?: RTCRtpTransceiver }} */
  #transceivers = {};
  /** @type {Record<Kind, MediaStreamTrack | null>} */
  #tracks = { audio: null, video: null };
  #sends = { audio: true, video: false };
  #announced = /** @type {Set<string>} */ (new Set());
  #candidates = new CandidateList();
  #known = /** @type {Set<string>} */ (new Set());
  /** Fragments that came before there was a description to add them to. */
  #early = /** @type {string[]} */ ([]);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #gathering;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #growing;

  /** @param {RTCIceServer[]} iceServers @param {MediaTools} [tools] */
  constructor(iceServers, tools = globalThis) {
    super();
    this.remote = new tools.MediaStream();
    this.#outgoing = new tools.MediaStream();
    this.connection = new tools.RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
    const { connection } = this;
    connection.addEventListener('track', ({ track }) => this.#announced.add(track.kind));
    connection.addEventListener('icecandidate', ({ candidate }) => this.#gathered(candidate));
    connection.addEventListener('negotiationneeded', () => this.dispatchEvent(new Event('negotiationneeded')));
    connection.addEventListener('connectionstatechange', () => {
      if (this.path === 'connected') this.#growing ??= setTimeout(() => this.#scale(1), FULL_SIZE_AFTER);
      this.dispatchEvent(new Event('pathchange'));
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

  /** An offer: the first, or a new one after something changed. Nothing waits for candidates. @returns {Promise<string>} */
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
    if (this.#growing === undefined) this.#scale(BEGIN_SCALED_BY);
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
  addCandidates(fragment) {
    if (!this.#takesCandidates) return void this.#early.push(fragment);
    for (const candidate of parseFragment(fragment)) {
      const key = `${candidate.usernameFragment} ${candidate.sdpMid} ${candidate.candidate}`;
      if (this.#known.has(key)) continue;
      this.#known.add(key);
      // A candidate of an earlier generation, or one this browser cannot read, is no loss.
      this.connection.addIceCandidate(candidate).catch(() => {});
    }
  }

  /** While an offer waits for our answer they could not be used, and the answer would have to wait for them. */
  get #takesCandidates() { return !!this.connection.remoteDescription && this.connection.signalingState !== 'have-remote-offer'; }

  close() {
    clearTimeout(this.#gathering);
    clearTimeout(this.#growing);
    this.connection.close();
    for (const track of this.remote.getTracks()) this.remote.removeTrack(track);
  }

  /** @param {Kind} kind */
  #add(kind) {
    const direction = this.#sends[kind] ? 'sendrecv' : 'recvonly';
    const isEarly = kind === 'video' && this.#growing === undefined;
    const transceiver = this.connection.addTransceiver(this.#tracks[kind] ?? kind, {
      direction, streams: [this.#outgoing], ...isEarly && { sendEncodings: [{ scaleResolutionDownBy: BEGIN_SCALED_BY }] },
    });
    this.#transceivers[kind] = transceiver;
  }

  /** @param {number} factor by which pictures are made smaller on each side */
  #scale(factor) {
    const sender = this.#transceivers.video?.sender;
    const parameters = sender?.getParameters();
    if (!sender || !parameters?.encodings?.length) return;
    for (const encoding of parameters.encodings) encoding.scaleResolutionDownBy = factor;
    // Only a matter of quality: a browser that cannot do it goes on as it is.
    sender.setParameters(parameters).catch(() => {});
  }

  async #describe() {
    await this.connection.setLocalDescription();
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
    if (this.#takesCandidates) for (const fragment of this.#early.splice(0)) this.addCandidates(fragment);
  }

  /** @param {RTCIceCandidate | null} candidate */
  #gathered(candidate) {
    if (!this.connection.localDescription) return;
    this.#candidates.begin(this.connection.localDescription.sdp);
    if (!candidate || !this.#candidates.add(candidate)) return;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.dispatchEvent(new CustomEvent('candidates', { detail: this.#candidates.fragment }));
    }, GATHER);
  }
}

/** @type {Kind[]} In the order of the description's lines. */
const KINDS = ['audio', 'video'];
