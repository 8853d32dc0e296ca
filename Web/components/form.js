import { words } from '../strings/words.js';
import { RefusedError } from '../people/api.js';
import { make, uniqueId } from './dom.js';

/** @typedef {{ label: string, name: string, hint?: string, value?: string, required?: boolean, minlength?: number,
 *   autocomplete?: string, type?: string, autocapitalize?: string, pattern?: string, readonly?: boolean }} FieldOptions */

/**
 * A labelled text field with an explanation below it.
 *
 * @param {FieldOptions} options
 */
export function field({ label, hint, ...attributes }) {
  const id = uniqueId(), hintId = uniqueId();
  const input = make('input', {
    id, type: 'text', spellcheck: 'false', ...attributes, 'aria-describedby': hint && hintId,
  });
  const element = make('div', { class: 'field' }, make('label', { for: id }, label), input);
  if (hint) element.append(make('p', { id: hintId, class: 'hint' }, hint));
  return { element, input };
}

/**
 * A password, hidden until the person wants to see it.
 *
 * @param {Omit<FieldOptions, 'type' | 'name'>} options
 */
export function passwordField(options) {
  const made = field({ required: true, ...options, name: 'password', type: 'password' });
  const toggle = make('button', { type: 'button', class: 'quiet reveal', 'aria-label': words.showPassword, onclick: () => {
    const reveals = made.input.type === 'password';
    made.input.type = reveals ? 'text' : 'password';
    toggle.textContent = reveals ? words.hide : words.show;
    toggle.setAttribute('aria-label', reveals ? words.hidePassword : words.showPassword);
  } }, words.show);
  const row = make('div', { class: 'with-button' });
  made.input.replaceWith(row);
  row.append(made.input, toggle);
  return made;
}

/**
 * A form that works on what was typed, once at a time, and says in words what went wrong.
 *
 * @param {{ submit: string, onsubmit: () => Promise<unknown> }} how
 * @param {(Node | string)[]} children
 */
export function form({ submit, onsubmit }, ...children) {
  const alert = make('div', { role: 'alert', class: 'alert' });
  const button = make('button', { type: 'submit', class: 'primary' }, submit);
  return make('form', { novalidate: true, onsubmit: async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (button.disabled) return;
    const fault = faultIn(/** @type {HTMLFormElement} */ (event.currentTarget));
    alert.textContent = fault?.text ?? '';
    if (fault) return fault.input.focus();
    button.disabled = true;
    button.textContent = words.working;
    try {
      await onsubmit();
    } catch (error) {
      alert.textContent = explain(error);
    } finally {
      button.disabled = false;
      button.textContent = submit;
    }
  } }, ...children, alert, button);
}

/** @param {HTMLFormElement} form what is wrong before anything is sent: the first field that is empty or too short */
function faultIn(form) {
  const faults = [...form.querySelectorAll('input')].map((input) => {
    const text = input.required && !input.value.trim() ? words.fillIn(input.labels?.[0]?.textContent ?? '')
      : [...input.value].length < input.minLength ? words.passwordTooShort(input.minLength) : '';
    if (text) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
    return { input, text };
  });
  return faults.find(({ text }) => text);
}

/** @param {unknown} error @returns {string} in words for a person */
export function explain(error) {
  if (!(error instanceof RefusedError)) return words.errors.failed;
  if (error.code === 'too-many-tries' && error.retryAfter) return words.tooManyTries(error.retryAfter);
  return words.errors[/** @type {keyof typeof words.errors} */ (error.code)] ?? (error.message || words.errors.failed);
}
