import { decodeBase64url, encodeBase64url } from '../keys/base64url.js';
import { derive, makeSalt, PASSWORD_USE, RECOVERY_USE } from '../keys/derive.js';
import { importHalves, makeIdentity, unwrapHalves, wrapHalves } from '../keys/identity.js';
import { makeRecoveryCode, normalizeRecoveryCode } from '../keys/recovery-code.js';
import { RefusedError } from './api.js';

/** @typedef {import('./api.js').API} API */
/** @typedef {import('./api.js').Me} Me */
/** @typedef {import('../keys/key-store.js').KeyStore} KeyStore */
/** @typedef {import('../keys/identity.js').PrivateHalves} PrivateHalves */

/** Fewer characters are guessed too fast by whoever steals the server's disk. */
export const MINIMUM_PASSWORD = 8;

/** What a person does with their account. The password and the private keys stay in here. */
export class Account {
  #api;
  #keys;

  /** @param {API} api @param {KeyStore} keys */
  constructor(api, keys) {
    this.#api = api;
    this.#keys = keys;
  }

  /**
   * Makes the keys, sends what the server may know, and gives the recovery code, which nobody will see again.
   *
   * @param {string} token
   * @param {{ password: string, fullName?: string, userName?: string }} chosen
   * @returns {Promise<{ me: Me, recoveryCode: string }>}
   */
  async join(token, { password, fullName, userName }) {
    const [{ halves, signingPublic, agreementPublic }, locked] = await Promise.all([makeIdentity(), lock(password)]);
    const { recoveryCode, recovery } = await makeRecovery(halves);
    const me = await this.#api.join(token, {
      fullName, userName, salt: locked.salt, auth: locked.auth,
      keys: { signingPublic, agreementPublic, wrapped: await wrapHalves(halves, locked.wrap), recovery },
    });
    await this.#keep(me, halves);
    return { me, recoveryCode };
  }

  /** @param {string} userName @param {string} password @returns {Promise<Me>} */
  async signIn(userName, password) {
    const { salt, iterations } = await this.#api.salt(userName);
    const { auth, wrap } = await derive(password, { salt: decodeBase64url(salt), iterations, use: PASSWORD_USE });
    const me = await this.#api.signIn({ userName, auth: encodeBase64url(auth) });
    await this.#keep(me, await unwrapHalves(me.keys.wrapped, wrap));
    return me;
  }

  /**
   * Opens an account by its recovery code and gives it a new password and a new code.
   *
   * @param {{ userName: string, code: string, password: string }} typed
   * @returns {Promise<{ me: Me, recoveryCode: string }>}
   */
  async recover({ userName, code, password }) {
    const normalized = normalizeRecoveryCode(code);
    if (!normalized) throw new RefusedError(400, 'not-a-recovery-code', '');
    const { salt, iterations } = await this.#api.recoverySalt(userName);
    const old = await derive(normalized, { salt: decodeBase64url(salt), iterations, use: RECOVERY_USE });
    const recoveryAuth = encodeBase64url(old.auth);
    const { recovery: box } = await this.#api.openRecovery({ userName, recoveryAuth });
    const halves = await unwrapHalves(box, old.wrap);
    const [locked, { recoveryCode, recovery }] = await Promise.all([lock(password), makeRecovery(halves)]);
    const me = await this.#api.completeRecovery({
      userName, recoveryAuth, salt: locked.salt, auth: locked.auth, wrapped: await wrapHalves(halves, locked.wrap), recovery,
    });
    await this.#keep(me, halves);
    return { me, recoveryCode };
  }

  /** Ends the session here. Without a server the keys are forgotten all the same. */
  async signOut() {
    await this.#keys.clear().catch(() => {});
    await this.#api.signOut();
  }

  /** @param {Me} me @param {PrivateHalves} halves */
  async #keep(me, halves) {
    // A private window may refuse to store: the person is signed in all the same.
    await this.#keys.save(me.userName, await importHalves(halves)).catch(() => {});
  }
}

/**
 * A new salt, and what a new password becomes with it.
 *
 * @param {string} password
 */
async function lock(password) {
  const salt = makeSalt();
  const { auth, wrap } = await derive(password, { salt, use: PASSWORD_USE });
  return { salt: encodeBase64url(salt), auth: encodeBase64url(auth), wrap };
}

/** @param {PrivateHalves} halves */
async function makeRecovery(halves) {
  const recoveryCode = makeRecoveryCode();
  const salt = makeSalt();
  const { auth, wrap } = await derive(normalizeRecoveryCode(recoveryCode) ?? '', { salt, use: RECOVERY_USE });
  const { iv, data } = await wrapHalves(halves, wrap);
  return { recoveryCode, recovery: { salt: encodeBase64url(salt), iv, data, auth: encodeBase64url(auth) } };
}
