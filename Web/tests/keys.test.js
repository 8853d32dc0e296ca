import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBase64url, encodeBase64url } from '../keys/base64url.js';
import { derive, PASSWORD_USE, RECOVERY_USE, utf8 } from '../keys/derive.js';
import { importHalves, makeIdentity, unwrapHalves, wrapHalves } from '../keys/identity.js';
import { makeRecoveryCode, normalizeRecoveryCode } from '../keys/recovery-code.js';

const salt = Uint8Array.from({ length: 16 }, (_, index) => index);

/** Computed with Python's hashlib and hmac, not with WebCrypto. */
const VECTORS = [
  {
    password: 'correct horse battery staple',
    auth: 'x-o9Yi9XoS2y3OtzlVAEtoy0hMSomqL1oyjXiaanQ1k',
    wrap: 'Ia08zdrlChem7nHCKuDVWDv2Vi41ij6kY01pbALcx9s',
    recoveryAuth: 'LLgmKtdOCgM1mxqtqx-2cUHjuP0kx3j51oe-HBMdxrM',
  },
  {
    password: 'Zu\u0308rich \ufb01n',
    auth: 'PK2fvHtUkgGkPzcVDeCz7fpB5O5jIM23nEsaFKF_NwI',
    wrap: 'YCwD6NNHpTWlBP2Kn8qwucM6IRIRnE62AGCErQxR0Uw',
    recoveryAuth: 'UHi0-EOga5TWbpnYGe1UfSINA0Q_klBGfi4GBuvYJIA',
  },
];

for (const { password, auth, wrap, recoveryAuth } of VECTORS) {
  test(`derives the vectors of "${password}"`, async () => {
    const derived = await derive(password, { salt, use: PASSWORD_USE });
    assert.equal(encodeBase64url(derived.auth), auth);
    assert.equal(encodeBase64url((await derive(password, { salt, use: RECOVERY_USE })).auth), recoveryAuth);

    const raw = await crypto.subtle.importKey('raw', decodeBase64url(wrap), 'AES-GCM', false, ['decrypt']);
    const iv = new Uint8Array(12);
    const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, derived.wrap, utf8('as it should be'));
    assert.equal(new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, raw, sealed)), 'as it should be');
  });
}

test('one password typed on two kinds of keyboard is one password', async () => {
  const composed = await derive('Zürich fin', { salt, use: PASSWORD_USE, iterations: 10 });
  const decomposed = await derive('Zu\u0308rich \ufb01n', { salt, use: PASSWORD_USE, iterations: 10 });
  assert.deepEqual(composed.auth, decomposed.auth);
});

test('the wrapping key cannot be read out', async () => {
  const { wrap } = await derive('password', { salt, use: PASSWORD_USE, iterations: 10 });
  assert.equal(wrap.extractable, false);
});

test('private halves come back from their wrapping, and only with its key', async () => {
  const { halves, signingPublic, agreementPublic } = await makeIdentity();
  assert.equal(decodeBase64url(signingPublic).length, 65);
  assert.equal(decodeBase64url(agreementPublic)[0], 4);
  const { wrap } = await derive('right', { salt, use: PASSWORD_USE, iterations: 10 });
  const { wrap: wrong } = await derive('wrong', { salt, use: PASSWORD_USE, iterations: 10 });
  const wrapped = await wrapHalves(halves, wrap);
  assert.deepEqual(await unwrapHalves(wrapped, wrap), halves);
  await assert.rejects(unwrapHalves(wrapped, wrong), { name: 'OperationError' });
  const bent = { ...wrapped, data: (wrapped.data[0] === 'A' ? 'B' : 'A') + wrapped.data.slice(1) };
  await assert.rejects(unwrapHalves(bent, wrap), { name: 'OperationError' });
});

test('the kept keys sign and agree, match the public halves, and cannot be read out', async () => {
  const { halves, signingPublic, agreementPublic } = await makeIdentity();
  const { signing, agreement } = await importHalves(halves);
  assert.equal(signing.extractable || agreement.extractable, false);
  const verifier = await crypto.subtle.importKey(
    'raw', decodeBase64url(signingPublic), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']);
  const how = { name: 'ECDSA', hash: 'SHA-256' };
  assert(await crypto.subtle.verify(how, verifier, await crypto.subtle.sign(how, signing, utf8('hello')), utf8('hello')));

  const other = /** @type {CryptoKeyPair} */ (
    await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']));
  const ours = await crypto.subtle.importKey(
    'raw', decodeBase64url(agreementPublic), { name: 'ECDH', namedCurve: 'P-256' }, true, []);
  assert.deepEqual(
    new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: other.publicKey }, agreement, 256)),
    new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: ours }, other.privateKey, 256)));
});

test('recovery codes are 120 bits in six groups', () => {
  assert.equal(makeRecoveryCode(Uint8Array.from({ length: 15 }, (_, index) => index)), '000G-40R4-0M30-E209-185G-R38E');
  assert.equal(makeRecoveryCode(new Uint8Array(15).fill(255)), 'ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ');
  assert.equal(
    makeRecoveryCode(Uint8Array.from({ length: 15 }, (_, index) => index * 0x11)), '008J-4CT4-ANK7-F24S-NAXW-SQFE');
  assert.notEqual(makeRecoveryCode(), makeRecoveryCode());
});

test('recovery codes are read as people write them', () => {
  const code = '008J4CT4ANK7F24SNAXWSQFE';
  for (const typed of ['008J-4CT4-ANK7-F24S-NAXW-SQFE', '008j 4ct4 ank7 f24s naxw sqfe', ' oo8J–4ct4—ANK7 F24S\u00a0NAXWSQFE\n']) {
    assert.equal(normalizeRecoveryCode(typed), code);
  }
  assert.equal(normalizeRecoveryCode('iL1I-0000-0000-0000-0000-0000'), '111100000000000000000000');
  for (const typed of ['', '008J', '008J-4CT4-ANK7-F24S-NAXW-SQFU', '008J-4CT4-ANK7-F24S-NAXW-SQFE-0', 'ß'.repeat(24)]) {
    assert.equal(normalizeRecoveryCode(typed), undefined);
  }
});

test('base64url has no padding and comes back', () => {
  assert.equal(encodeBase64url(Uint8Array.of(0xfb, 0xff)), '-_8');
  for (let length = 0; length < 20; length += 1) {
    const bytes = crypto.getRandomValues(new Uint8Array(length));
    assert.deepEqual(decodeBase64url(encodeBase64url(bytes)), bytes);
  }
  assert.throws(() => decodeBase64url('%%%'), { name: 'InvalidCharacterError' });
});
