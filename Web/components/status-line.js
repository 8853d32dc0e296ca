import { words } from '../strings/words.js';
import { make } from './dom.js';

/** @typedef {import('../phone/phone.js').Phone} Phone */
/** @typedef {import('../phone/call-session.js').CallSession} CallSession */

/** A lost connection shorter than this is not worth a word, in milliseconds. */
const GRACE = 400;

/** Whether the server is there, and what became of calls that rang here. Set `phone` before inserting it. */
export class StatusLine extends HTMLElement {
  /** @type {Phone | undefined} */
  phone;
  #connection = make('p', { role: 'status', class: 'note' });
  #missed = make('p', { role: 'status' });
  #missedNote = make('div', { class: 'note' });
  #close = make('button', { type: 'button', class: 'quiet', onclick: () => this.#say('') }, words.close);
  #listening = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  connectedCallback() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.phone?.addEventListener('statuschange', () => this.#showConnection(), { signal });
    this.phone?.addEventListener('incoming', (event) => this.#follow(/** @type {CustomEvent} */ (event).detail), { signal });
    this.#missedNote.replaceChildren(this.#missed, this.#close);
    this.replaceChildren(this.#connection, this.#missedNote);
    this.#say('');
  }

  disconnectedCallback() {
    this.#listening.abort();
    clearTimeout(this.#timer);
  }

  #showConnection() {
    clearTimeout(this.#timer);
    if (!this.phone?.isReconnecting) this.#connection.textContent = '';
    else this.#timer = setTimeout(() => { this.#connection.textContent = words.home.reconnecting; }, GRACE);
  }

  /** @param {CallSession} call */
  #follow(call) {
    call.addEventListener('statechange', () => {
      // Two who called each other at once and talk now have missed nothing.
      if (this.phone?.call && !this.phone.call.isOver && this.phone.call !== call) return;
      if (call.ending?.cause === 'cancelled' || call.ending?.cause === 'noAnswer') this.#say(words.home.missed(call.name));
      else if (call.ending?.cause === 'answeredElsewhere') this.#say(words.home.answeredElsewhere(call.name));
    }, { once: true });
  }

  /** @param {string} text */
  #say(text) {
    this.#missed.textContent = text;
    this.#missedNote.classList.toggle('note', !!text);
    this.#close.hidden = !text;
  }
}
customElements.define('status-line', StatusLine);
