/** The printed code that opens an account without its password: 120 random bits as six groups of four letters and digits. */

/** Crockford's base 32: no I, L, O or U, which people misread. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const BYTES = 15, GROUP = 4;

/** @param {Uint8Array} [random] 15 bytes; tests give their own */
export function makeRecoveryCode(random = crypto.getRandomValues(new Uint8Array(BYTES))) {
  let bits = 0n;
  for (const byte of random) bits = bits << 8n | BigInt(byte);
  let code = '';
  for (let shift = BigInt(BYTES * 8 - 5); shift >= 0n; shift -= 5n) code += ALPHABET[Number(bits >> shift & 31n)];
  return (code.match(new RegExp(`.{${GROUP}}`, 'g')) ?? []).join('-');
}

/**
 * What somebody typed as the code it must be: capitals without separators, and the letters people read for digits as digits.
 *
 * @param {string} typed
 * @returns {string | undefined} nothing when it cannot be a code
 */
export function normalizeRecoveryCode(typed) {
  const code = typed.normalize('NFKC').toUpperCase().replace(/[\s\p{Pd}]/gu, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  return code.length === BYTES * 8 / 5 && [...code].every((character) => ALPHABET.includes(character)) ? code : undefined;
}
