import { words } from '../strings/words.js';
import { copyButton } from './copy-button.js';
import { make } from './dom.js';

/** Shows the recovery code, once. Set all three before inserting it; fires `kept`. */
export class RecoveryCode extends HTMLElement {
  code = '';
  name = '';
  userName = '';

  connectedCallback() {
    const title = make('h1', { tabindex: '-1' }, words.code.title);
    this.replaceChildren(
      title,
      make('p', { class: 'lead' }, words.code.lead),
      make('p', { class: 'print-only' }, words.code.printTitle(this.name, this.userName)),
      make('p', { class: 'code', 'data-recovery-code': true }, ...halves(this.code).map((half) => make('span', {}, half))),
      make('div', { class: 'actions' },
        copyButton(this.code),
        make('button', { type: 'button', onclick: () => print() }, words.print)),
      make('button', { type: 'button', class: 'primary', onclick: () => this.dispatchEvent(new Event('kept')) }, words.code.kept),
    );
    title.focus();
  }
}
customElements.define('recovery-code', RecoveryCode);

/** @param {string} code in two parts that stay whole on a narrow screen */
function halves(code) {
  const groups = code.split('-'), middle = Math.ceil(groups.length / 2);
  return [`${groups.slice(0, middle).join('-')}-`, groups.slice(middle).join('-')];
}
