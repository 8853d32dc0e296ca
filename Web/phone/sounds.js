/** @typedef {import('./phone.js').Phone} Phone */
/** @typedef {import('./call-session.js').CallSession} CallSession */
/** @typedef {import('./tab.js').Tab} Tab */
/** @typedef {import('./tones.js').Tones} Tones */

/**
 * Rings for incoming calls, in one tab for all, and lets the caller hear that it rings at the other end.
 *
 * @param {Phone} phone
 * @param {{ tones: Tones, tab: Tab }} tools
 */
export function soundsOf(phone, { tones, tab }) {
  phone.addEventListener('incoming', (event) => {
    const { detail: session } = /** @type {CustomEvent<CallSession>} */ (event);
    const over = new AbortController();
    tab.ring(over.signal, () => tones.play('ring'));
    session.addEventListener('statechange', () => {
      over.abort();
      tones.play(undefined);
    }, { once: true });
  });
  phone.addEventListener('callchange', () => {
    const { call } = phone;
    call?.addEventListener('statechange', () => tones.play(call.state === 'ringing' ? 'ringback' : undefined));
  });
}
