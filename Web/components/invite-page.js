import { words } from '../strings/words.js';
import { copyButton } from './copy-button.js';
import { make } from './dom.js';
import { form } from './form.js';
import { nameFields } from './name-fields.js';

/** @typedef {import('../people/api.js').API} API */

/** The owner makes links for others. Set `api` before inserting it. */
export class InvitePage extends HTMLElement {
  /** @type {API | undefined} */
  api;

  connectedCallback() {
    const { name, user } = nameFields({ isOwn: false });
    this.replaceChildren(
      make('h2', { tabindex: '-1' }, words.invite.title),
      make('p', { class: 'lead' }, words.invite.lead),
      form({ submit: words.invite.make, onsubmit: async () => {
        const userName = user.input.value.trim().toLowerCase();
        const fullName = name.input.value.trim() || undefined;
        const made = await this.api?.invite({ userName, fullName });
        if (made) this.#show({ userName, fullName: fullName ?? userName }, made.url);
      } }, name.element, user.element),
    );
  }

  /** @param {{ userName: string, fullName: string }} person @param {string} url */
  #show({ userName, fullName }, url) {
    const title = make('h2', { tabindex: '-1' }, words.invite.ready(fullName));
    const share = make('button', { type: 'button', class: 'primary', onclick: () =>
      navigator.share({ text: words.invite.message(url) }).catch(() => {}) }, words.share);
    const copy = copyButton(url);
    const canShare = 'share' in navigator;
    copy.classList.toggle('primary', !canShare);
    const go = (/** @type {string} */ hash) => () => { location.hash = hash; };
    this.replaceChildren(
      title,
      make('p', { class: 'lead' }, words.invite.send(fullName)),
      make('p', { class: 'code link', 'data-join-link': true }, url),
      make('div', { class: 'actions' }, ...canShare ? [share] : [], copy),
      make('button', { type: 'button', class: 'quiet', onclick: () => this.connectedCallback() }, words.invite.another),
      make('button', { type: 'button', class: 'quiet', onclick: go(`#/phones/${encodeURIComponent(userName)}`) },
        words.invite.onlyPhone(fullName)),
    );
    title.focus();
  }
}
customElements.define('invite-page', InvitePage);
