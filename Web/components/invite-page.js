import { words } from '../strings/words.js';
import { copyButton } from './copy-button.js';
import { make } from './dom.js';
import { field, form } from './form.js';

/** @typedef {import('../people/api.js').API} API */

/** The owner makes links for others. Set `api` before inserting it. */
export class InvitePage extends HTMLElement {
  /** @type {API | undefined} */
  api;

  connectedCallback() {
    const name = field({ label: words.fullName, name: 'name', autocomplete: 'off' });
    const user = field({
      label: words.userName, name: 'username', autocomplete: 'off', autocapitalize: 'none', required: true,
      hint: words.join.userNameHint,
    });
    this.replaceChildren(
      make('h2', { tabindex: '-1' }, words.invite.title),
      make('p', { class: 'lead' }, words.invite.lead),
      form({ submit: words.invite.make, onsubmit: async () => {
        const userName = user.input.value.trim().toLowerCase();
        const fullName = name.input.value.trim() || undefined;
        const made = await this.api?.invite({ userName, fullName });
        if (made) this.#show(fullName ?? userName, made.url);
      } }, user.element, name.element),
    );
  }

  /** @param {string} name @param {string} url */
  #show(name, url) {
    const title = make('h2', { tabindex: '-1' }, words.invite.ready(name));
    const share = make('button', { type: 'button', class: 'primary', onclick: () =>
      navigator.share({ text: words.invite.message(url) }).catch(() => {}) }, words.share);
    this.replaceChildren(
      title,
      make('p', { class: 'lead' }, words.invite.lead),
      make('p', { class: 'code link', 'data-join-link': true }, url),
      make('div', { class: 'actions' }, copyButton(url), ...'share' in navigator ? [share] : []),
      make('button', { type: 'button', class: 'quiet', onclick: () => this.connectedCallback() }, words.invite.another),
    );
    title.focus();
  }
}
customElements.define('invite-page', InvitePage);
