/** RFC 3261 §14.1: after 491 whoever made the call waits 2.1 to 4 s, the other up to 2 s, in milliseconds. */
const GLARE = { caller: [2_100, 4_000], callee: [0, 2_000] };

/** Until an offer that the agent would not send is tried again, in milliseconds: it is busy with an exchange of its own. */
const RETRY = 500;

/**
 * Whether an offer of ours is due, and whether it may be made now: when the call is established, the server is there, and no
 * other offer waits for its answer.
 */
export class OfferTurn {
  /** An offer of ours waits for its answer. */
  isOffering = false;
  /** One of the other side waits for ours. */
  isOffered = false;
  #isCaller;
  #isOnline;
  #offer;
  #isEstablished = false;
  #isDue = false;
  /** Our last offer was refused: what it asked for is not asked again until the person asks. */
  #isResting = false;
  #isStopped = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pause;

  /** @param {{ isCaller: boolean, isOnline: () => boolean, offer: () => void }} how `offer` makes one: it is our turn */
  constructor({ isCaller, isOnline, offer }) {
    this.#isCaller = isCaller;
    this.#isOnline = isOnline;
    this.#offer = offer;
  }

  /** Something is to be offered. */
  want() {
    this.#isDue = true;
    this.resume();
  }

  establish() {
    this.#isEstablished = true;
    this.resume();
  }

  /** Offers if something is to be offered and can be now. */
  resume() {
    if (!this.#isDue || !this.#isEstablished || this.isOffering || this.isOffered || this.#isResting) return;
    if (this.#pause !== undefined || this.#isStopped || !this.#isOnline()) return;
    this.#isDue = false;
    this.isOffering = true;
    this.#offer();
  }

  /** Something is different: a refusal of what was before is forgotten. */
  wake() {
    this.#isResting = false;
    this.resume();
  }

  /** The offer could not be sent. */
  postpone() {
    this.isOffering = false;
    this.#isDue = true;
    if (!this.isOffered) this.#wait(RETRY);
  }

  /** Both offered at once. */
  collide() {
    this.isOffering = false;
    this.#isDue = true;
    const [least, most] = this.#isCaller ? GLARE.caller : GLARE.callee;
    this.#wait(least + Math.random() * (most - least));
  }

  /** The other side would not have it. */
  rest() {
    this.isOffering = false;
    this.#isResting = true;
  }

  stop() {
    this.#isStopped = true;
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
}
