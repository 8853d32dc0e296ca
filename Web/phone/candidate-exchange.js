import { CandidateList, parseFragment } from './trickle.js';

/** Candidates that come within this many milliseconds travel together. */
const GATHER = 10;
/** How long a description waits for its candidates (half trickle), in milliseconds: most are there in the first tenth of it. */
const COMPLETE_WITHIN = 1_000;

/** The ICE candidates of both sides, between a connection and the fragments that carry them: each once, none too early. */
export class CandidateExchange {
  #connection;
  #send;
  #own = new CandidateList();
  #known = /** @type {Set<string>} */ (new Set());
  /** Fragments that came before there was a description to add them to. */
  #early = /** @type {string[]} */ ([]);
  #isHeld = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {RTCPeerConnection} connection @param {(fragment: string) => void} send */
  constructor(connection, send) {
    this.#connection = connection;
    this.#send = send;
    connection.addEventListener('icecandidate', ({ candidate }) => this.#gathered(candidate));
  }

  /**
   * Half trickle (RFC 8838 §16): the description waits for its own candidates, for a peer that may not take later ones.
   * What it then holds is not sent again.
   *
   * @param {() => Promise<void>} describe sets the local description
   */
  async complete(describe) {
    this.#isHeld = true;
    await describe();
    await allGathered(this.#connection);
    this.#isHeld = false;
  }

  /** @param {string} fragment from the other side */
  add(fragment) {
    if (!this.#canAdd) return void this.#early.push(fragment);
    for (const candidate of parseFragment(fragment)) {
      const key = `${candidate.usernameFragment} ${candidate.sdpMid} ${candidate.candidate}`;
      if (this.#known.has(key)) continue;
      this.#known.add(key);
      // A candidate of an earlier generation, or one this browser cannot read, is no loss.
      this.#connection.addIceCandidate(candidate).catch(() => {});
    }
  }

  /** After a description: what came too early may fit now. */
  resume() { if (this.#canAdd) for (const fragment of this.#early.splice(0)) this.add(fragment); }

  stop() { clearTimeout(this.#timer); }

  /** While an offer waits for our answer they could not be used, and the answer would have to wait for them. */
  get #canAdd() { return !!this.#connection.remoteDescription && this.#connection.signalingState !== 'have-remote-offer'; }

  /** @param {RTCIceCandidate | null} candidate */
  #gathered(candidate) {
    const { localDescription } = this.#connection;
    if (!localDescription) return;
    this.#own.begin(localDescription.sdp);
    if (!candidate || !this.#own.add(candidate) || this.#isHeld) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#send(this.#own.fragment);
    }, GATHER);
  }
}

/** @param {RTCPeerConnection} connection @returns {Promise<void>} */
function allGathered(connection) {
  if (connection.iceGatheringState === 'complete') return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(settle, COMPLETE_WITHIN);
    function look() { if (connection.iceGatheringState === 'complete') settle(); }
    function settle() {
      clearTimeout(timer);
      connection.removeEventListener('icegatheringstatechange', look);
      resolve();
    }
    connection.addEventListener('icegatheringstatechange', look);
  });
}
