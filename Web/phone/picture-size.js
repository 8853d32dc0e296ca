/**
 * Pictures begin at half their size: the first one then needs a quarter of the bits at a moment when nobody knows yet how fast
 * the network is, and is there sooner. They grow to full size this many milliseconds after the way was found.
 */
const FULL_SIZE_AFTER = 2_000, BEGIN_SCALED_BY = 2;

/** How large the pictures are that we send. */
export class PictureSize {
  #sender;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #growing;

  /** @param {() => RTCRtpSender | undefined} sender */
  constructor(sender) { this.#sender = sender; }

  /** For a transceiver that is made now. */
  get encodings() { return this.#isEarly ? { sendEncodings: [{ scaleResolutionDownBy: BEGIN_SCALED_BY }] } : {}; }

  /** For one that the other side's offer made. */
  begin() { if (this.#isEarly) this.#scale(BEGIN_SCALED_BY); }

  /** The way was found. */
  grow() { this.#growing ??= setTimeout(() => this.#scale(1), FULL_SIZE_AFTER); }

  stop() { clearTimeout(this.#growing); }

  get #isEarly() { return this.#growing === undefined; }

  /** @param {number} factor by which they are made smaller on each side */
  #scale(factor) {
    const sender = this.#sender();
    const parameters = sender?.getParameters();
    if (!sender || !parameters?.encodings?.length) return;
    for (const encoding of parameters.encodings) encoding.scaleResolutionDownBy = factor;
    // Only a matter of quality: a browser that cannot do it goes on as it is.
    sender.setParameters(parameters).catch(() => {});
  }
}
