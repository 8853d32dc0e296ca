/** From something a person knows to the two keys made of it: one proves to the server who they are, one wraps their private keys. */

/** OWASP's figure for PBKDF2-HMAC-SHA-256; the server names it with every salt. */
export const ITERATIONS = 600_000;
/** Bytes of a salt. */
export const SALT_LENGTH = 16;

/** What the two keys are called inside HKDF (RFC 5869): a password's never equal a recovery code's. */
export const PASSWORD_USE = { auth: 'hearth auth', wrap: 'hearth wrap' };
export const RECOVERY_USE = { auth: 'hearth recovery auth', wrap: 'hearth recovery wrap' };

/** @typedef {{ auth: Uint8Array, wrap: CryptoKey }} Derived  `auth` travels, `wrap` never leaves the page. */

/**
 * PBKDF2-HMAC-SHA-256 (RFC 8018 §5.2), then HKDF-SHA-256 with an empty salt for each use. About a third of a second.
 *
 * @param {string} secret taken in Unicode's NFKC form, so that every keyboard types the same password
 * @param {{ salt: Uint8Array, use: typeof PASSWORD_USE, iterations?: number }} how
 * @returns {Promise<Derived>}
 */
export async function derive(secret, { salt, use, iterations = ITERATIONS }) {
  const typed = await crypto.subtle.importKey('raw', utf8(secret.normalize('NFKC')), 'PBKDF2', false, ['deriveBits']);
  const bits = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, typed, 256);
  const master = await crypto.subtle.importKey('raw', bits, 'HKDF', false, ['deriveBits', 'deriveKey']);
  const expand = (/** @type {string} */ info) => ({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8(info) });
  const [auth, wrap] = await Promise.all([
    crypto.subtle.deriveBits(expand(use.auth), master, 256),
    crypto.subtle.deriveKey(expand(use.wrap), master, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']),
  ]);
  return { auth: new Uint8Array(auth), wrap };
}

export function makeSalt() { return crypto.getRandomValues(new Uint8Array(SALT_LENGTH)); }

/** @param {string} text */
export function utf8(text) { return new TextEncoder().encode(text); }
