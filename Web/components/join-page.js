import { Pins } from '../keys/pins.js';
import { MINIMUM_PASSWORD } from '../people/account.js';
import { words } from '../strings/words.js';
import { make } from './dom.js';
import { explain, form, passwordField } from './form.js';
import { nameFields } from './name-fields.js';

/** @typedef {import('../people/account.js').Account} Account */
/** @typedef {import('../people/api.js').API} API */
/** @typedef {import('../people/api.js').Invitation} Invitation */

/** Makes an account from a link. Set all three before inserting it; fires `joined` (detail: what `Account.join` gives). */
export class JoinPage extends HTMLElement {
  token = '';
  /** @type {API | undefined} */
  api;
  /** @type {Account | undefined} */
  account;

  async connectedCallback() {
    this.replaceChildren(make('p', {}, words.loading));
    try {
      const invitation = await this.api?.invitation(this.token);
      if (invitation) this.#show(invitation);
    } catch (error) {
      this.replaceChildren(
        make('h1', {}, words.appName),
        make('div', { role: 'alert', class: 'alert' }, explain(error)),
        make('p', {}, make('a', { href: '/' }, words.recover.back)),
      );
    }
  }

  /** @param {Invitation} invitation */
  #show({ purpose, userName = '', fullName, inviter, inviterUserName }) {
    const { title, lead } = {
      owner: { title: words.join.owner, lead: words.join.ownerLead },
      member: { title: words.join.member(inviter), lead: words.join.memberLead },
      reset: { title: words.join.reset(fullName || userName), lead: words.join.resetLead },
    }[purpose];
    const choosesName = !userName;
    const { name, user } = nameFields({ userName, fullName, isOwn: true });
    const password = passwordField({
      label: words.join.choosePassword, autocomplete: 'new-password', minlength: MINIMUM_PASSWORD,
      hint: words.passwordHint(MINIMUM_PASSWORD),
    });
    this.replaceChildren(make('h1', {}, title), make('p', { class: 'lead' }, lead), form({
      submit: words.join.join,
      onsubmit: async () => {
        const chosen = user.input.value.trim().toLowerCase();
        const detail = await this.account?.join(this.token, {
          password: password.input.value,
          userName: choosesName ? chosen : undefined,
          fullName: name.input.value.trim() || capitalized(chosen),
        });
        if (detail) await expectInviter(detail.me.userName, inviterUserName);
        this.dispatchEvent(new CustomEvent('joined', { detail }));
      },
    }, ...purpose === 'reset' ? [] : [name.element], user.element, password.element));
    (choosesName ? name : password).input.focus();
  }
}
customElements.define('join-page', JoinPage);

/**
 * The link carries the fingerprint of the inviter's keys behind its #, which no server sees: they are known before the first sight.
 *
 * @param {string} me
 * @param {string} [inviter]
 */
async function expectInviter(me, inviter) {
  const print = location.hash.slice(1);
  if (inviter && print) await new Pins(me).expect(inviter, print).catch(() => {});
}

/** @param {string} name */
function capitalized(name) { return name.charAt(0).toUpperCase() + name.slice(1); }
