import { words } from '../strings/words.js';
import { duration, endingOf, noticesOf } from './call-words.js';
import { avatar, make } from './dom.js';
import { icon } from './icon.js';

/** @typedef {import('../phone/call-session.js').CallSession} CallSession */

/** How often the running time is written, in milliseconds. */
const TICK = 500;

/** The call that is on, or how it ended. Set `call` before inserting it; fires `dismissed`. */
export class CallView extends HTMLElement {
  /** @type {CallSession | undefined} */
  call;
  #status = make('p', { role: 'status', class: 'call-status' });
  #notices = make('ul', { class: 'notices', 'aria-live': 'polite' });
  /** Plays the sound too, so that the browser's echo cancellation knows it. */
  #remote = make('video', { autoplay: true, playsinline: true, class: 'remote' });
  #self = make('video', { autoplay: true, playsinline: true, class: 'self', 'aria-label': words.call.you });
  #mute = button(() => this.call?.setMuted(!this.call.isMuted && !this.call.problems.audio));
  #camera = button(() => this.call?.setCamera(!this.call.isCameraOn));
  #hear = make('button', { type: 'button', class: 'primary', hidden: true, onclick: () => this.#play() }, words.call.pressToHear);
  #listening = new AbortController();
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking;

  /** What carries the sound and the pictures, for those who measure. */
  get peerConnection() { return this.call?.peerConnection; }

  connectedCallback() {
    const { call } = this;
    if (!call) return;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    call.addEventListener('statechange', this, { signal });
    call.addEventListener('change', this, { signal });
    this.#self.muted = true;
    this.#remote.setAttribute('aria-label', call.name);
    const hangUp = make('button', { type: 'button', class: 'round danger', onclick: () => call.hangUp() },
      icon('hangUp'), make('span', {}, words.call.hangUp));
    const close = make('button', { type: 'button', class: 'quiet close', onclick: () => this.dispatchEvent(new Event('dismissed')) },
      words.close);
    this.setAttribute('role', 'region');
    this.setAttribute('aria-label', words.call.with(call.name));
    this.replaceChildren(
      this.#remote, avatar(call.name, call.address),
      make('div', { class: 'call-title' }, make('p', { class: 'call-name' }, call.name), this.#status, this.#notices, this.#hear),
      this.#self,
      make('div', { class: 'controls' }, this.#mute, this.#camera, hangUp),
      close,
    );
    this.#ticking = setInterval(() => this.#showTime(), TICK);
    this.handleEvent();
    hangUp.focus({ preventScroll: true });
  }

  disconnectedCallback() {
    this.#listening.abort();
    clearInterval(this.#ticking);
    this.#remote.srcObject = this.#self.srcObject = null;
  }

  handleEvent() {
    const { call } = this;
    if (!call) return;
    this.dataset.state = call.state;
    this.classList.toggle('note', call.isOver);
    this.classList.toggle('has-video', call.showsRemoteVideo);
    this.#showStatus(call);
    this.#notices.replaceChildren(...noticesOf(call).map((notice) => make('li', {}, notice)));
    this.#showMedia(call);
    const isSilent = call.isMuted || !!call.problems.audio;
    label(this.#mute, isSilent ? ['microphoneOff', words.call.unmute] : ['microphone', words.call.mute]);
    this.#mute.classList.toggle('is-off', isSilent);
    label(this.#camera, call.isCameraOn ? ['video', words.call.cameraOff] : ['videoOff', words.call.cameraOn]);
    this.#camera.disabled = call.state !== 'active';
  }

  /** @param {CallSession} call */
  #showStatus(call) {
    // The running time is there to be looked at, not to be read out every second.
    this.#status.setAttribute('aria-live', call.state === 'active' ? 'off' : 'polite');
    if (call.state === 'active') return this.#showTime();
    if (call.state !== 'ended') {
      this.#status.textContent = call.state === 'ringing' ? words.call.ringing
        : call.state === 'calling' ? words.call.calling : words.call.answering;
      return;
    }
    clearInterval(this.#ticking);
    const lasted = call.answeredAt === undefined ? [] : [' ', make('span', {}, duration(performance.now() - call.answeredAt))];
    this.#status.replaceChildren(make('strong', {}, words.call.ended), ` ${endingOf(call)}`, ...lasted);
  }

  #showTime() {
    const { call } = this;
    if (call?.state !== 'active' || call.answeredAt === undefined) return;
    this.#status.textContent = duration(performance.now() - call.answeredAt);
  }

  /** @param {CallSession} call */
  #showMedia(call) {
    if (call.isOver) {
      this.#remote.srcObject = this.#self.srcObject = null;
      this.#self.hidden = true;
      return;
    }
    if (this.#remote.srcObject !== call.remoteStream && call.remoteStream.getTracks().length) {
      this.#remote.srcObject = call.remoteStream;
      this.#play();
    }
    const { cameraTrack } = call;
    const shown = /** @type {MediaStream | null} */ (this.#self.srcObject)?.getVideoTracks()[0];
    if (shown !== cameraTrack) this.#self.srcObject = cameraTrack ? new MediaStream([cameraTrack]) : null;
    this.#self.hidden = !cameraTrack;
  }

  /** Some browsers play nothing before the person has pressed something in this page. */
  async #play() {
    try {
      await this.#remote.play();
      this.#hear.hidden = true;
    } catch (error) {
      this.#hear.hidden = /** @type {DOMException} */ (error).name !== 'NotAllowedError';
    }
  }
}
customElements.define('call-view', CallView);

/** @param {() => unknown} onclick */
function button(onclick) { return make('button', { type: 'button', class: 'round', onclick }); }

/**
 * @param {HTMLButtonElement} element
 * @param {[Parameters<typeof icon>[0], string]} says
 */
function label(element, [picture, text]) {
  if (element.textContent !== text) element.replaceChildren(icon(picture), make('span', {}, text));
}
