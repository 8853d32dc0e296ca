import { Negotiation } from './negotiation.js';
import { OwnMedia } from './own-media.js';
import { PathWatch } from './path-watch.js';

/** @typedef {import('./call-session.js').CallParts} CallParts */

/**
 * Sound and pictures of one call: our devices, the offers that carry them, and the way they take.
 *
 * Fires `change`, and `failed` (CustomEvent, detail the cause) when there is no going on.
 */
export class CallMedia extends EventTarget {
  /** Whether the other side would not take our camera. */
  isCameraRefused = false;
  peer;
  own;
  negotiation;
  #watch;
  #isOn = false;

  /** @param {CallParts} parts @param {boolean} isCaller */
  constructor({ id, agent, peer, devices, isOnline }, isCaller) {
    super();
    const failed = (/** @type {string} */ cause) => this.dispatchEvent(new CustomEvent('failed', { detail: cause }));
    const changed = () => this.dispatchEvent(new Event('change'));
    this.peer = peer;
    this.own = new OwnMedia(devices, peer);
    this.negotiation = new Negotiation({
      id, agent, peer, isCaller, isOnline, refused: () => this.#offerRefused(), failed: () => failed('failed'),
    });
    this.#watch = new PathWatch({ isCaller, restart: () => this.#seekPath(), giveUp: () => failed('networkLost') });
    this.own.addEventListener('change', changed);
    peer.addEventListener('mediachange', changed);
    peer.addEventListener('candidates', (event) =>
      agent.candidates({ call: id, fragment: /** @type {CustomEvent} */ (event).detail }));
    peer.addEventListener('pathchange', () => {
      if (this.#isOn) this.#watch.update(peer.path);
      changed();
    });
  }

  /** The call was answered: from now on the way is looked after. */
  begin() {
    this.#isOn = true;
    this.#watch.update(this.peer.path);
  }

  /** The server is back after it was gone. */
  online() {
    this.#watch.wake();
    this.negotiation.wake();
  }

  /** @param {boolean} isMuted */
  async setMuted(isMuted) {
    await this.own.setMuted(isMuted);
    this.negotiation.wake();
  }

  /** @param {boolean} isOn pictures in an audio call too: the other side gets a new offer */
  async setCamera(isOn) {
    this.isCameraRefused = false;
    await this.own.setCamera(isOn);
    this.negotiation.wake();
  }

  close() {
    this.#isOn = false;
    this.#watch.stop();
    this.negotiation.stop();
    this.own.close();
    this.peer.close();
  }

  #seekPath() {
    this.peer.restart();
    this.negotiation.wake();
  }

  /** A new offer was not taken: what it brought is taken back. */
  #offerRefused() {
    this.isCameraRefused = this.own.isCameraOn && !this.peer.sends('video');
    if (this.isCameraRefused) this.own.setCamera(false);
  }
}
