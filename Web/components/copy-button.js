import { words } from '../strings/words.js';
import { make } from './dom.js';

/** How long the button says that it has done it, in milliseconds. */
const SAYS_SO = 2_000;

/** @param {string} text what it copies */
export function copyButton(text) {
  const label = make('span', { 'aria-live': 'polite' }, words.copy);
  return make('button', { type: 'button', onclick: async () => {
    label.textContent = await copied(text) ? words.copied : words.notCopied;
    setTimeout(() => { label.textContent = words.copy; }, SAYS_SO);
  } }, label);
}

/** @param {string} text @returns {Promise<boolean>} false: the browser would not */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
