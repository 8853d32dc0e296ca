import { words } from '../strings/words.js';
import { make } from './dom.js';
import { field, form, passwordField } from './form.js';

/** @typedef {import('../people/account.js').Account} Account */

/** Signs a person in. Set `account` before inserting it; fires `signedin` (detail: me) and `forgotten`. */
export class SignInPage extends HTMLElement {
  /** @type {Account | undefined} */
  account;
  /** Whether the person was signed in until just now. */
  hasEnded = false;

  connectedCallback() {
    const user = field({
      label: words.userName, name: 'username', autocomplete: 'username', autocapitalize: 'none', required: true,
    });
    const password = passwordField({ label: words.password, autocomplete: 'current-password' });
    this.replaceChildren(
      make('h1', {}, words.signIn.title),
      make('p', { class: 'lead' }, this.hasEnded ? words.signIn.ended : words.signIn.lead),
      form({ submit: words.signIn.signIn, onsubmit: async () => {
        const me = await this.account?.signIn(user.input.value.trim().toLowerCase(), password.input.value);
        this.dispatchEvent(new CustomEvent('signedin', { detail: me }));
      } }, user.element, password.element),
      make('button', { type: 'button', class: 'quiet', onclick: () => this.dispatchEvent(new Event('forgotten')) },
        words.signIn.forgot),
    );
    user.input.focus();
  }
}
customElements.define('sign-in-page', SignInPage);
