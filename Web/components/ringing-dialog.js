import { words } from '../strings/words.js';
import { avatar, make, uniqueId } from './dom.js';
import { icon } from './icon.js';

/** @typedef {import('../phone/call-session.js').CallSession} CallSession */

/**
 * Somebody calls. Set `call` before inserting it; fires `answered` (detail `{ video }`), and removes itself when the ringing is over.
 *
 * The dialog itself has the focus at first: whoever is typing must not answer by their next key.
 */
export class RingingDialog extends HTMLElement {
  /** @type {CallSession | undefined} */
  call;
  #listening = new AbortController();
  /** @type {Element | null} what had the focus and gets it back */
  #before = null;

  connectedCallback() {
    const { call } = this;
    if (!call) return;
    this.#listening = new AbortController();
    call.addEventListener('statechange', () => this.remove(), { signal: this.#listening.signal });
    const id = uniqueId();
    const answer = (/** @type {boolean} */ video) => () => {
      // Nothing behind an open dialog can take the focus, and the call that begins wants it.
      this.remove();
      this.dispatchEvent(new CustomEvent('answered', { detail: { video } }));
    };
    const dialog = make('dialog', { role: 'alertdialog', 'aria-labelledby': id, tabindex: '-1', autofocus: true },
      avatar(call.name, call.address),
      make('h2', { id }, words.call.isCalling(call.name)),
      make('p', { class: 'hint' }, call.isVideoOffered ? words.call.withVideo : words.call.withoutVideo),
      make('div', { class: 'actions' },
        make('button', { type: 'button', class: 'accept', onclick: answer(false) }, icon('phone'), words.call.answer),
        make('button', { type: 'button', class: 'accept', onclick: answer(true) }, icon('video'), words.call.answerWithVideo),
        make('button', { type: 'button', class: 'danger', onclick: () => call.decline() }, icon('hangUp'), words.call.decline)));
    // Escape answers nothing and declines nothing: it is pressed for too many other reasons.
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    dialog.addEventListener('close', () => { if (this.isConnected) dialog.showModal(); });
    this.#before = document.activeElement;
    this.replaceChildren(dialog);
    dialog.showModal();
    dialog.focus();
    navigator.vibrate?.([400, 200, 400]);
  }

  disconnectedCallback() {
    this.#listening.abort();
    navigator.vibrate?.(0);
    if (this.#before instanceof HTMLElement) this.#before.focus({ preventScroll: true });
  }
}
customElements.define('ringing-dialog', RingingDialog);
