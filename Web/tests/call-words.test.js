import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, endingOf, noticesOf } from '../components/call-words.js';
import { CAUSES } from '../phone/frames.js';

/** @param {object} parts */
const call = (parts) => /** @type {any} */ ({ name: 'Bob', direction: 'outgoing', problems: {}, replaced: {}, hasRung: true, ...parts });
/** @param {string} cause @param {number} status @param {object} [more] */
const ended = (cause, status, more) => endingOf(call({ ending: { cause, status, reason: '' }, ...more }));

test('every cause of the phone has its words', () => {
  const said = new Set(CAUSES.map((cause) => ended(cause, 0)));
  assert.equal(said.size, CAUSES.length);
  assert.equal(ended('something new', 599), 'The call to Bob did not work (599).');
});

test('who ended it, and whether it rang, makes the difference', () => {
  assert.equal(ended('declined', 603), 'Bob declined.');
  assert.equal(ended('declined', 603, { direction: 'incoming' }), 'You declined.');
  assert.equal(ended('cancelled', 487, { direction: 'incoming' }), 'Bob gave up calling.');
  assert.equal(ended('busy', 486), 'Bob is busy with another call.');
  assert.equal(ended('noAnswer', 408), 'Bob did not answer.');
  assert.equal(ended('noAnswer', 480), 'Bob did not answer.');
  assert.equal(ended('noAnswer', 480, { hasRung: false }), 'Bob is not reachable at the moment.');
});

test('a call that could not be made says what to do', () => {
  const text = endingOf(call({ ending: { cause: 'noMicrophone', status: 0, reason: '', problem: 'refused' } }));
  assert.match(text, /Allow it/);
});

test('notices say what is wrong, each once', () => {
  assert.deepEqual(noticesOf(call({})), []);
  assert.equal(noticesOf(call({ problems: { audio: 'refused', video: 'refused' } })).length, 1);
  assert.equal(noticesOf(call({ isPathLost: true, isHeld: true, problems: { video: 'missing' } })).length, 3);
  assert.deepEqual(noticesOf(call({ isOver: true, isPathLost: true })), []);
});

test('times read like a clock', () => {
  assert.deepEqual([0, 7_900, 65_000, 3_600_000, 3_725_000].map(duration), ['0:00', '0:07', '1:05', '1:00:00', '1:02:05']);
});
