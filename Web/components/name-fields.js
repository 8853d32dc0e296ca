import { words } from '../strings/words.js';
import { field } from './form.js';

/**
 * What somebody new is called: the full name, and the user name for signing in, which follows it until it is typed itself.
 *
 * @param {{ userName?: string, fullName?: string, isOwn: boolean }} who a user name that is given stays; `isOwn`: of whoever types
 */
export function nameFields({ userName = '', fullName, isOwn }) {
  const name = field({
    label: words.fullName, name: 'name', autocomplete: isOwn ? 'name' : 'off', value: fullName,
    hint: isOwn ? words.join.fullNameHint : undefined,
  });
  const user = field({
    label: words.userName, name: 'username', autocomplete: isOwn ? 'username' : 'off', autocapitalize: 'none', required: true,
    readonly: !!userName, value: userName, hint: userName ? undefined : words.join.userNameHint,
  });
  let isTyped = !!userName;
  user.input.addEventListener('input', () => { isTyped = user.input.value !== ''; });
  name.input.addEventListener('input', () => { if (!isTyped) user.input.value = suggestion(name.input.value); });
  return { name, user };
}

/** @param {string} fullName @returns {string} the first name as a user name has it, or '' when there is none in these letters */
export function suggestion(fullName) {
  const first = fullName.trim().split(/\s+/)[0].normalize('NFD').toLowerCase().replace(/[^a-z0-9._-]/g, '');
  return first.replace(/^[^a-z]+/, '').slice(0, 32);
}
