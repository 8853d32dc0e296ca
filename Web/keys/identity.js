import { decodeBase64url, encodeBase64url } from './base64url.js';
import { utf8 } from './derive.js';

/** A person's two key pairs: made in the browser, kept by the server only wrapped, used here as keys that cannot be read out. */

/** @typedef {{ iv: string, data: string }} Wrapped  AES-256-GCM under a wrapping key, base64url. */
/** @typedef {{ signing: string, agreement: string }} PrivateHalves  PKCS #8, base64url; alive only while it is being wrapped. */
/** @typedef {{ signing: CryptoKey, agreement: CryptoKey }} Identity  What a device keeps. */

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256' };
const AGREEMENT = { name: 'ECDH', namedCurve: 'P-256' };
/** Ties the ciphertext to its purpose and version. */
const ASSOCIATED = utf8('hearth keys v1');
const IV_LENGTH = 12;

/** @returns {Promise<{ halves: PrivateHalves, signingPublic: string, agreementPublic: string }>} public halves as uncompressed points */
export async function makeIdentity() {
  const [signing, agreement] = /** @type {CryptoKeyPair[]} */ (await Promise.all([
    crypto.subtle.generateKey(SIGNING, true, ['sign', 'verify']),
    crypto.subtle.generateKey(AGREEMENT, true, ['deriveBits']),
  ]));
  const [signingPublic, agreementPublic, signingHalf, agreementHalf] = await Promise.all([
    crypto.subtle.exportKey('raw', signing.publicKey), crypto.subtle.exportKey('raw', agreement.publicKey),
    crypto.subtle.exportKey('pkcs8', signing.privateKey), crypto.subtle.exportKey('pkcs8', agreement.privateKey),
  ]);
  return {
    halves: { signing: encodeBase64url(signingHalf), agreement: encodeBase64url(agreementHalf) },
    signingPublic: encodeBase64url(signingPublic),
    agreementPublic: encodeBase64url(agreementPublic),
  };
}

/**
 * @param {PrivateHalves} halves
 * @param {CryptoKey} key
 * @returns {Promise<Wrapped>}
 */
export async function wrapHalves(halves, key) {
  const iv = crypto.getRandomValues(new Uint8Array(IV_LENGTH));
  const plain = utf8(JSON.stringify({ signing: halves.signing, agreement: halves.agreement }));
  const data = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: ASSOCIATED }, key, plain);
  return { iv: encodeBase64url(iv), data: encodeBase64url(data) };
}

/**
 * @param {Wrapped} wrapped
 * @param {CryptoKey} key
 * @returns {Promise<PrivateHalves>}
 * @throws {DOMException} `OperationError` when the key is not the one it was wrapped with, or the bytes were changed.
 */
export async function unwrapHalves(wrapped, key) {
  const iv = decodeBase64url(wrapped.iv);
  const plain = await crypto.subtle.decrypt(
    { name: 'AES-GCM', iv, additionalData: ASSOCIATED }, key, decodeBase64url(wrapped.data));
  return JSON.parse(new TextDecoder().decode(plain));
}

/**
 * The private halves as keys that scripts can use and not read.
 *
 * @param {PrivateHalves} halves
 * @returns {Promise<Identity>}
 */
export async function importHalves(halves) {
  const [signing, agreement] = await Promise.all([
    crypto.subtle.importKey('pkcs8', decodeBase64url(halves.signing), SIGNING, false, ['sign']),
    crypto.subtle.importKey('pkcs8', decodeBase64url(halves.agreement), AGREEMENT, false, ['deriveBits']),
  ]);
  return { signing, agreement };
}
