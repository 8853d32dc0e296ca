/** @param {string} one @param {string} other SIP URIs; whether they name the same person, whatever parameters they carry */
export function sameAddress(one, other) {
  const bare = (/** @type {string} */ uri) => uri.replace(/^sips?:/i, '').split(/[;?]/)[0].toLowerCase();
  return bare(one) === bare(other);
}
