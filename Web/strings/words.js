/** The words of the page in the person's language: one line to change when there is a second one. */
export { words } from './en.js';
