import { MINIMUM_PASSWORD } from '../people/account.js';
import { words } from '../strings/words.js';
import { make } from './dom.js';
import { field, form, passwordField } from './form.js';

/** @typedef {import('../people/account.js').Account} Account */

/** Opens an account by its recovery code. Set `account` before inserting it; fires `joined` (as JoinPage does) and `back`. */
export class RecoverPage extends HTMLElement {
  /** @type {Account | undefined} */
  account;

  connectedCallback() {
    const user = field({
      label: words.userName, name: 'username', autocomplete: 'username', autocapitalize: 'none', required: true,
    });
    const code = field({
      label: words.recover.code, name: 'code', autocomplete: 'off', autocapitalize: 'characters', required: true,
    });
    const password = passwordField({
      label: words.recover.choosePassword, autocomplete: 'new-password', minlength: MINIMUM_PASSWORD,
      hint: words.passwordHint(MINIMUM_PASSWORD),
    });
    this.replaceChildren(
      make('h1', {}, words.recover.title),
      make('p', { class: 'lead' }, words.recover.lead),
      form({
        submit: words.recover.set,
        onsubmit: async () => {
          const detail = await this.account?.recover({
            userName: user.input.value.trim().toLowerCase(), code: code.input.value, password: password.input.value,
          });
          this.dispatchEvent(new CustomEvent('joined', { detail }));
        },
      }, user.element, code.element, password.element),
      make('p', { class: 'hint' }, words.recover.noCode),
      make('button', { type: 'button', class: 'quiet', onclick: () => this.dispatchEvent(new Event('back')) }, words.recover.back),
    );
    user.input.focus();
  }
}
customElements.define('recover-page', RecoverPage);
