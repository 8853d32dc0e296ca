import { words } from '../strings/words.js';
import { CallView } from './call-view.js';
import { make } from './dom.js';
import { InvitePage } from './invite-page.js';
import { PeopleList } from './people-list.js';
import { PersonPage } from './person-page.js';
import { PhonesPage } from './phones-page.js';
import { RingingDialog } from './ringing-dialog.js';
import { StatusLine } from './status-line.js';

/** @typedef {import('../people/api.js').API} API */
/** @typedef {import('../people/api.js').Me} Me */
/** @typedef {import('../people/household.js').Household} Household */
/** @typedef {import('../phone/phone.js').Phone} Phone */
/** @typedef {import('../phone/call-session.js').CallSession} CallSession */

/** The page of somebody who is signed in: people on one side, one of them on the other, and the call. Fires `signout`. */
export class HomePage extends HTMLElement {
  /** @type {{ me: Me, api: API, household: Household, phone: Phone } | undefined} set before inserting it */
  parts;
  #pane = make('section', { class: 'pane' });
  #shell = make('main', { class: 'shell' });
  #call = make('div', { class: 'call-place' });
  #listening = new AbortController();

  connectedCallback() {
    if (!this.parts) return;
    const { me, household, phone } = this.parts;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    addEventListener('hashchange', () => this.#route(true), { signal });
    phone.addEventListener('callchange', () => this.#showCall(), { signal });
    phone.addEventListener('incoming', (event) => this.#ring(/** @type {CustomEvent} */ (event).detail), { signal });
    const isOwner = me.role === 'owner';
    const list = Object.assign(new PeopleList(), { household, me, alone: isOwner ? words.home.aloneOwner : words.home.alone });
    // Pressed again it begins anew: after one person was invited, the next.
    const go = (/** @type {string} */ hash) => () => {
      if (location.hash === hash) this.#route(true);
      else location.hash = hash;
    };
    const invite = make('button', { type: 'button', onclick: go('#/invite') }, words.home.invite);
    const judge = () => invite.classList.toggle('primary', household.people?.length === 0);
    household.addEventListener('change', judge, { signal });
    this.#shell.replaceChildren(
      make('h1', { class: 'visually-hidden' }, words.appName),
      make('div', { class: 'side' },
        make('p', { class: 'brand', 'aria-hidden': 'true' },
          make('img', { src: '/favicon.svg', alt: '', width: 32, height: 32 }), words.appName),
        list,
        make('nav', { class: 'menu' },
          ...isOwner ? [invite] : [],
          make('button', { type: 'button', onclick: go('#/phones') }, words.home.phones),
          make('button', { type: 'button', class: 'quiet', onclick: () => this.dispatchEvent(new Event('signout')) }, words.home.signOut))),
      this.#pane);
    this.replaceChildren(this.#shell, make('div', { class: 'news' }, Object.assign(new StatusLine(), { phone }), this.#call));
    // What the address names may be a person who is not known before the list has come.
    household.addEventListener('change', () => this.#route(false), { signal, once: true });
    this.#route(false);
  }

  disconnectedCallback() { this.#listening.abort(); }

  /** @param {boolean} takesFocus */
  #route(takesFocus) {
    if (!this.parts) return;
    const [, place, name] = location.hash.split('/');
    const { api, household, me, phone } = this.parts;
    const userName = decodeURIComponent(name ?? '');
    const view = place === 'person' && household.people
      ? Object.assign(new PersonPage(), { household, phone, userName, isOwner: me.role === 'owner' })
      : place === 'invite' ? Object.assign(new InvitePage(), { api })
      : place === 'phones' ? Object.assign(new PhonesPage(), { api, of: this.#other(userName) })
      : make('p', { class: 'hint empty' }, household.people?.length === 0 ? words.home.welcome : words.home.choose);
    this.#shell.classList.toggle('is-inside', !!place);
    this.#pane.replaceChildren(make('a', { href: '#/', class: 'back' }, words.back), view);
    if (takesFocus) this.#focusPane();
  }

  #focusPane() { this.#pane.querySelector('h2')?.focus({ preventScroll: true }); }

  /** @param {string} userName whose phones an owner looks at; somebody invited is not in the list yet */
  #other(userName) {
    if (!userName) return undefined;
    return { userName, fullName: this.parts?.household.named(userName)?.fullName ?? userName };
  }

  #showCall() {
    const call = this.parts?.phone.call;
    if (!call) {
      this.#call.replaceChildren();
      return;
    }
    const view = Object.assign(new CallView(), { call });
    view.addEventListener('dismissed', () => {
      this.#focusPane();
      this.parts?.phone.dismiss();
    });
    this.#call.replaceChildren(view);
    // While a call covers the page nothing below it can be reached by the keyboard; after it whoever hung up goes on from there.
    const cover = () => {
      this.#shell.inert = !call.isOver;
      if (call.isOver && view.contains(document.activeElement)) this.#focusPane();
    };
    call.addEventListener('statechange', cover);
    cover();
  }

  /** @param {CallSession} call */
  #ring(call) {
    const dialog = Object.assign(new RingingDialog(), { call });
    dialog.addEventListener('answered', (event) => this.parts?.phone.answer(call, /** @type {CustomEvent} */ (event).detail));
    this.append(dialog);
    const title = document.title;
    document.title = words.call.isCalling(call.name);
    call.addEventListener('statechange', () => { document.title = title; }, { once: true });
  }
}
customElements.define('home-page', HomePage);
