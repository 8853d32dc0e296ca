import { OfferTurn } from './offer-turn.js';
import { Steps } from './steps.js';

/** @typedef {import('./peer.js').Peer} Peer */
/** @typedef {import('./agent-line.js').CallAgent} CallAgent */

/** RFC 3261 §21.4.27: both offered at once. §21.4.26: this offer cannot be taken. */
const REQUEST_PENDING = 491, NOT_ACCEPTABLE_HERE = 488;

/**
 * Offers and answers of one call, in the order in which they may happen: WebRTC's "perfect negotiation" with SIP's own rule for
 * the case that both offer at once (491 to both, then each waits a while and offers again).
 */
export class Negotiation {
  #id;
  #agent;
  #peer;
  #isCaller;
  #refused;
  #failed;
  #steps = new Steps();
  #turn;
  #isOfferless = false;

  /** @param {{ id: number, agent: CallAgent, peer: Peer, isCaller: boolean, isOnline: () => boolean, refused: () => void, failed: () => void }} parts */
  constructor({ id, agent, peer, isCaller, isOnline, refused, failed }) {
    this.#id = id;
    this.#agent = agent;
    this.#peer = peer;
    this.#isCaller = isCaller;
    this.#refused = refused;
    this.#failed = failed;
    this.#turn = new OfferTurn({ isCaller, isOnline, offer: () => this.#offer() });
    peer.addEventListener('negotiationneeded', () => this.#turn.want());
  }

  // The first exchange

  /** @param {() => Promise<void>} makeOffer */
  begin(makeOffer) { return this.#steps.add(makeOffer, this.#failed); }

  /** @param {string} sdp empty when the caller wants our offer */
  takeFirst(sdp) {
    this.#isOfferless = !sdp;
    return this.#steps.add(async () => { if (sdp) await this.#peer.takeOffer(sdp); });
  }

  answerFirst() {
    return this.#steps.add(async () => {
      const sdp = this.#isOfferless ? await this.#peer.offer() : await this.#peer.answer();
      if (!this.#steps.isStopped && this.#agent.answer({ call: this.#id, sdp })) this.#failed();
    }, this.#failed);
  }

  /** @param {string} sdp an answer before the call is answered, which the final one may confirm or replace */
  takeEarlyAnswer(sdp) { return this.#steps.add(() => this.#peer.takeAnswer(sdp, 'pranswer'), () => {}); }

  /** @param {string} sdp the answer; empty for a call we answered, or when an early answer was the answer */
  async established(sdp) {
    await this.#steps.add(async () => {
      const answer = sdp || (this.#isCaller ? this.#peer.connection.remoteDescription?.sdp : undefined);
      if (answer) await this.#peer.takeAnswer(answer);
    }, this.#failed);
    this.#turn.establish();
  }

  // Later ones

  /** Something is different: what was refused before may be offered again. */
  wake() { this.#turn.wake(); }

  /** @param {string} sdp empty: the other side wants an offer of ours */
  offered(sdp) {
    this.#turn.isOffered = true;
    return this.#steps.add(async () => {
      if (this.#turn.isOffering && this.#peer.connection.signalingState === 'have-local-offer') {
        return void this.#agent.rejectOffer({ call: this.#id, status: REQUEST_PENDING });
      }
      if (sdp) await this.#peer.takeOffer(sdp);
      else this.#turn.isOffering = true;
      this.#agent.answerOffer({ call: this.#id, sdp: sdp ? await this.#peer.answer() : await this.#peer.offer() });
    }, async () => {
      this.#agent.rejectOffer({ call: this.#id, status: NOT_ACCEPTABLE_HERE });
      if (this.#peer.connection.signalingState === 'have-remote-offer') {
        await this.#peer.connection.setRemoteDescription({ type: 'rollback', sdp: '' });
      }
    }).finally(() => {
      this.#turn.isOffered = false;
      this.#turn.resume();
    });
  }

  /** @param {string} sdp */
  offerAnswered(sdp) {
    return this.#steps.add(() => this.#peer.takeAnswer(sdp), this.#failed).finally(() => {
      this.#turn.isOffering = false;
      this.#turn.resume();
    });
  }

  /** @param {number} status */
  async offerFailed(status) {
    await this.#steps.add(() => this.#peer.rollback(), () => {});
    if (status === REQUEST_PENDING) return this.#turn.collide();
    this.#turn.rest();
    this.#refused();
  }

  /** @param {string} fragment */
  candidates(fragment) { return this.#steps.add(async () => this.#peer.addCandidates(fragment)); }

  stop() {
    this.#steps.stop();
    this.#turn.stop();
  }

  #offer() {
    this.#steps.add(async () => {
      const sdp = await this.#peer.offer();
      // The other's offer came, or the server went, while ours was being made.
      if (!this.#turn.isOffered && this.#agent.offer({ call: this.#id, sdp }) === null) return;
      await this.#peer.rollback();
      this.#turn.postpone();
    }, this.#failed);
  }
}
