import { HomePage } from './components/home-page.js';
import { JoinPage } from './components/join-page.js';
import { RecoverPage } from './components/recover-page.js';
import { RecoveryCode } from './components/recovery-code.js';
import { SignInPage } from './components/sign-in-page.js';
import { KeyStore } from './keys/key-store.js';
import { Pins } from './keys/pins.js';
import { Account } from './people/account.js';
import { API, RefusedError } from './people/api.js';
import { Household } from './people/household.js';
import { makePhone } from './phone/make-phone.js';
import { make } from './components/dom.js';
import { words } from './strings/words.js';

/** @typedef {import('./people/api.js').Me} Me */

/** How long the list of people waits for our own registration, in milliseconds: then we can be called when it is there. */
const REGISTERS_WITHIN = 1_500;
/** How soon a page without a server tries again, in milliseconds. */
const TRY_AGAIN = 3_000;

const api = new API();
const account = new Account(api, new KeyStore());
/** @type {(() => void) | undefined} ends what belongs to the person who is signed in */
let leave;

/** @param {HTMLElement} element */
function show(element) { document.body.replaceChildren(element); }

/** @param {HTMLElement} element a page for those who are not signed in */
function enter(element) {
  element.classList.add('entry');
  show(make('main', { class: 'threshold' }, make('img', { src: '/favicon.svg', alt: '', width: 56, height: 56 }), element));
}

/** @param {boolean} [hasEnded] */
function signIn(hasEnded = false) {
  leave?.();
  leave = undefined;
  const page = Object.assign(new SignInPage(), { account, hasEnded });
  page.addEventListener('signedin', (event) => home(/** @type {CustomEvent} */ (event).detail));
  page.addEventListener('forgotten', recover);
  enter(page);
}

function recover() {
  const page = Object.assign(new RecoverPage(), { account });
  page.addEventListener('joined', (event) => keepCode(/** @type {CustomEvent} */ (event).detail));
  page.addEventListener('back', () => signIn());
  enter(page);
}

/** @param {string} token */
function join(token) {
  const page = Object.assign(new JoinPage(), { account, api, token });
  page.addEventListener('joined', (event) => keepCode(/** @type {CustomEvent} */ (event).detail));
  enter(page);
}

/** @param {{ me: Me, recoveryCode: string }} joined */
function keepCode({ me, recoveryCode }) {
  history.replaceState(null, '', '/');
  const page = Object.assign(new RecoveryCode(), { code: recoveryCode, name: me.fullName, userName: me.userName });
  page.addEventListener('kept', () => home(me));
  enter(page);
}

/** @param {Me} me */
async function home(me) {
  const household = new Household(api, me, new Pins(me.userName));
  const { phone, stop } = await makePhone(me, (address, name) => household.at(address)?.fullName || name || address);
  leave = () => {
    household.stop();
    stop();
  };
  phone.addEventListener('refused', () => api.me().catch(() => {}));
  phone.addEventListener('statuschange', () => { if (phone.isRegistered) household.refresh(); });
  const page = Object.assign(new HomePage(), { parts: { me, api, household, phone } });
  page.addEventListener('signout', async () => {
    leave?.();
    leave = undefined;
    location.hash = '';
    await account.signOut().catch(() => {});
    signIn();
  });
  show(page);
  await Promise.race([
    new Promise((resolve) => phone.addEventListener('statuschange', resolve, { once: true })),
    new Promise((resolve) => setTimeout(resolve, REGISTERS_WITHIN)),
  ]);
  if (page.isConnected) household.start();
}

async function start() {
  const [, token] = /^\/join\/([^/]+)/.exec(location.pathname) ?? [];
  if (token) return join(decodeURIComponent(token));
  try {
    await home(await api.me());
  } catch (error) {
    if (error instanceof RefusedError && error.status === 401) return signIn();
    show(make('main', { class: 'threshold' }, make('p', { role: 'status' }, words.errors.offline)));
    setTimeout(start, TRY_AGAIN);
  }
}

// The session may end elsewhere: by its owner on another device, or by a new password.
api.addEventListener('signedout', () => { if (leave) signIn(true); });
// A page taken back out of the browser's cache has lost its connections.
addEventListener('pageshow', ({ persisted }) => { if (persisted) location.reload(); });
start();
