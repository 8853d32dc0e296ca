/** @typedef {import('./peer.js').Peer} Peer */
/**
 * The part of the agent that one call uses.
 *
 * @typedef {Pick<import('./agent.js').Agent,
 *   'call' | 'answer' | 'reject' | 'hangUp' | 'offer' | 'answerOffer' | 'rejectOffer' | 'candidates'>} CallAgent
 */

/** RFC 3261 §14.1: after 491 whoever made the call waits 2.1 to 4 s, the other up to 2 s, in milliseconds. */
const GLARE = { caller: [2_100, 4_000], callee: [0, 2_000] };

/** Until an offer that the agent would not send is tried again, in milliseconds: it is busy with an exchange of its own. */
const RETRY = 500;

/**
 * Offers and answers of one call, in the order in which they may happen: WebRTC's "perfect negotiation" with SIP's own rule for
 * the case that both offer at once (491 to both, then each waits a while and offers again).
 */
export class Negotiation {
  #id;
  #agent;
  #peer;
  #isCaller;
  #isOnline;
  #refused;
  #failed;
  /** Each step waits for the one before. */
  #steps = Promise.resolve();
  #isEstablished = false;
  #isOffering = false;
  #isOffered = false;
  #isOfferless = false;
  /** An offer of ours is due: as soon as the server is there, and the other's offer is answered. */
  #isDue = false;
  /** Our last offer was refused: what it asked for is not asked again until the person asks. */
  #isResting = false;
  #stopped = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pause;

  /** @param {{ id: number, agent: CallAgent, peer: Peer, isCaller: boolean, isOnline: () => boolean, refused: () => void, failed: () => void }} parts */
  constructor({ id, agent, peer, isCaller, isOnline, refused, failed }) {
    this.#id = id;
    this.#agent = agent;
    this.#peer = peer;
    this.#isCaller = isCaller;
    this.#isOnline = isOnline;
    this.#refused = refused;
    this.#failed = failed;
    peer.addEventListener('negotiationneeded', () => {
      this.#isDue = true;
      this.resume();
    });
  }

  // The first exchange

  /** @param {() => Promise<void>} makeOffer */
  begin(makeOffer) { return this.#step(makeOffer, this.#failed); }

  /** @param {string} sdp empty when the caller wants our offer */
  takeFirst(sdp) {
    this.#isOfferless = !sdp;
    return this.#step(async () => { if (sdp) await this.#peer.takeOffer(sdp); });
  }

  answerFirst() {
    return this.#step(async () => {
      const sdp = this.#isOfferless ? await this.#peer.offer() : await this.#peer.answer();
      if (!this.#stopped && this.#agent.answer({ call: this.#id, sdp })) this.#failed();
    }, this.#failed);
  }

  /** @param {string} sdp an answer before the call is answered, which the final one may confirm or replace */
  takeEarlyAnswer(sdp) { return this.#step(() => this.#peer.takeAnswer(sdp, 'pranswer'), () => {}); }

  /** @param {string} sdp the answer; empty for a call we answered, or when an early answer was the answer */
  async established(sdp) {
    await this.#step(async () => {
      const answer = sdp || (this.#isCaller ? this.#peer.connection.remoteDescription?.sdp : undefined);
      if (answer) await this.#peer.takeAnswer(answer);
    }, this.#failed);
    this.#isEstablished = true;
    this.resume();
  }

  // Later ones

  /** Offers if something is to be offered and can be now. */
  resume() {
    if (!this.#isDue || !this.#isEstablished || this.#isOffering || this.#isOffered || this.#isResting) return;
    if (this.#pause !== undefined || this.#stopped || !this.#isOnline()) return;
    this.#isDue = false;
    this.#isOffering = true;
    this.#step(async () => {
      const sdp = await this.#peer.offer();
      // The other's offer came, or the server went, while ours was being made.
      if (!this.#isOffered && this.#agent.offer({ call: this.#id, sdp }) === null) return;
      await this.#peer.rollback();
      this.#isOffering = false;
      this.#isDue = true;
      if (!this.#isOffered) this.#wait(RETRY);
    }, this.#failed);
  }

  /** Something is different: a refusal of what was before is forgotten. */
  wake() {
    this.#isResting = false;
    this.resume();
  }

  /** @param {string} sdp empty: the other side wants an offer of ours */
  offered(sdp) {
    this.#isOffered = true;
    return this.#step(async () => {
      if (this.#isOffering && this.#peer.connection.signalingState === 'have-local-offer') {
        return void this.#agent.rejectOffer({ call: this.#id, status: 491 });
      }
      if (sdp) await this.#peer.takeOffer(sdp);
      else this.#isOffering = true;
      this.#agent.answerOffer({ call: this.#id, sdp: sdp ? await this.#peer.answer() : await this.#peer.offer() });
    }, async () => {
      this.#agent.rejectOffer({ call: this.#id, status: 488 });
      if (this.#peer.connection.signalingState === 'have-remote-offer') {
        await this.#peer.connection.setRemoteDescription({ type: 'rollback', sdp: '' });
      }
    }).finally(() => {
      this.#isOffered = false;
      this.resume();
    });
  }

  /** @param {string} sdp */
  offerAnswered(sdp) {
    return this.#step(() => this.#peer.takeAnswer(sdp), this.#failed).finally(() => {
      this.#isOffering = false;
      this.resume();
    });
  }

  /** @param {number} status */
  async offerFailed(status) {
    await this.#step(() => this.#peer.rollback(), () => {});
    this.#isOffering = false;
    if (status === 491) {
      this.#isDue = true;
      const [least, most] = this.#isCaller ? GLARE.caller : GLARE.callee;
      return this.#wait(least + Math.random() * (most - least));
    }
    this.#isResting = true;
    this.#refused();
  }

  /** @param {string} fragment */
  candidates(fragment) { return this.#step(async () => this.#peer.addCandidates(fragment)); }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#pause);
  }

  /** @param {number} milliseconds */
  #wait(milliseconds) {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.resume();
    }, milliseconds);
  }

  /**
   * @param {() => Promise<void>} work
   * @param {() => unknown} [otherwise] what to do when it fails; without it the caller is told
   * @returns {Promise<void>}
   */
  #step(work, otherwise) {
    const step = this.#steps.then(async () => {
      try {
        if (!this.#stopped) await work();
      } catch (error) {
        if (this.#stopped) return;
        if (!otherwise) throw error;
        await otherwise();
      }
    });
    this.#steps = step.catch(() => {});
    return step;
  }
}
