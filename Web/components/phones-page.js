import { words } from '../strings/words.js';
import { make, uniqueId } from './dom.js';
import { explain, field, form } from './form.js';

/** @typedef {import('../people/api.js').API} API */
/** @typedef {import('../people/api.js').NewPhone} NewPhone */

/** A person's own SIP phones, or those of somebody else. Set `api` before inserting it, and `of` for somebody else. */
export class PhonesPage extends HTMLElement {
  /** @type {API | undefined} */
  api;
  /** @type {{ userName: string, fullName: string } | undefined} */
  of;
  #list = make('ul', { 'aria-label': words.phones.list, role: 'list', class: 'rows' });
  #fresh = make('div');
  #alert = make('div', { role: 'alert', class: 'alert' });

  connectedCallback() {
    const label = field({
      label: words.phones.label, name: 'label', autocomplete: 'off', required: true, hint: words.phones.labelHint,
    });
    this.replaceChildren(
      make('h2', { tabindex: '-1' }, this.of ? words.phones.titleOf(this.of.fullName) : words.phones.title),
      make('p', { class: 'lead' }, this.of ? words.phones.leadOf(this.of.fullName) : words.phones.lead),
      this.#alert, this.#list, this.#fresh,
      form({ submit: words.phones.add, onsubmit: async () => {
        const phone = await this.api?.addPhone(label.input.value.trim(), this.of?.userName);
        label.input.value = '';
        await this.#refresh();
        if (phone) this.#show(phone);
      } }, label.element),
    );
    this.#refresh();
  }

  async #refresh() {
    try {
      const phones = await this.api?.phones(this.of?.userName) ?? [];
      this.#list.replaceChildren(...phones.map(({ id, label }) => make('li', {}, make('span', {}, label), make('button', {
        type: 'button', 'aria-label': words.phones.remove(label), onclick: () => this.#remove(id),
      }, words.phones.removeShort))));
      this.#alert.textContent = '';
    } catch (error) {
      this.#alert.textContent = explain(error);
    }
  }

  /** @param {string} id */
  async #remove(id) {
    await this.api?.removePhone(id, this.of?.userName).catch((error) => { this.#alert.textContent = explain(error); });
    await this.#refresh();
  }

  /** @param {NewPhone} phone */
  #show({ label, server, domain, user, password, transports }) {
    const rows = [
      [words.phones.server, server], ...domain === server ? [] : [[words.phones.domain, domain]],
      [words.phones.user, user], [words.phones.password, password],
      ...transports.map(({ transport, port }) => [transport.toUpperCase(), words.phones.port(port)]),
    ];
    const once = uniqueId();
    const card = make('section', { class: 'card', tabindex: '-1', 'aria-describedby': once, 'aria-label': label },
      make('p', { id: once }, words.phones.once),
      make('dl', {}, ...rows.flatMap(([term, value]) => [make('dt', {}, term), make('dd', {}, value)])),
      make('button', { type: 'button', onclick: () => this.#fresh.replaceChildren() }, words.phones.done));
    this.#fresh.replaceChildren(card);
    card.focus();
  }
}
customElements.define('phones-page', PhonesPage);
