import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggestion } from '../components/name-fields.js';

test('the user name that is proposed is the first name, in the letters that a user name has', () => {
  /** @type {[string, string][]} */
  const cases = [
    ['Anna Lindqvist', 'anna'], ['  Zoë ', 'zoe'], ["O'Brien", 'obrien'], ['Anna-Maria K.', 'anna-maria'], ['3PO Robot', 'po'],
    ['Анна', ''], ['', ''], ['x'.repeat(40), 'x'.repeat(32)],
  ];
  for (const [fullName, userName] of cases) assert.equal(suggestion(fullName), userName, fullName);
});
