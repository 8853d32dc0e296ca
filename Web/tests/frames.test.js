import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { COMMANDS, OUTPUTS, decodeOutput, encode, refusal } from '../phone/frames.js';

/** The list that Swift's tests are held against too: direction, name, frame in hex. */
const list = readFileSync(new URL('../../Tests/BrowserPhoneTests/Frames/frames.txt', import.meta.url), 'utf8')
  .trim().split('\n').map((line) => {
    const [direction, name, hex] = line.split(' ');
    return { direction, name, hex };
  });
const bytes = (/** @type {string} */ hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hexOf = (/** @type {Uint8Array} */ data) => Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('');

const bob = 'sip:bob@example.org';
const plain = 'text/plain';

/** @type {[keyof typeof COMMANDS, import('../phone/frames.js').Fields][]} */
const commands = [
  ['register', {}], ['unregister', {}],
  ['call', { call: 7, to: bob, offer: 'v=0', replaces: 9 }], ['call', { call: 7, to: bob, offer: '' }],
  ['answer', { call: 0x80000001, sdp: 'v=0\r\n' }], ['reject', { call: 1, status: 486 }], ['hangUp', { call: 0xffffffff }],
  ['offer', { call: 1, sdp: 'v=0' }], ['answerOffer', { call: 1, sdp: 'v=0' }], ['rejectOffer', { call: 1, status: 488 }],
  ['candidates', { call: 1, fragment: 'a=mid:0' }], ['transfer', { call: 1, to: 'sip:zoë@example.org' }],
  ['transferTo', { call: 1, other: 2 }], ['acceptTransfer', { call: 1, new: 2, offer: 'v=0' }],
  ['rejectTransfer', { call: 1, status: 603 }], ['dtmf', { call: 1, signal: '#', milliseconds: 160 }],
  ['info', { call: 1, contentType: plain, body: Uint8Array.of(0, 255) }],
  ['message', { id: 5, to: bob, contentType: plain, body: 'hi' }],
  ['callMessage', { id: 6, call: 1, contentType: plain, body: 'hi' }],
  ['subscribe', { id: 7, to: bob, event: 'presence', accept: 'a/b', expires: 600 }], ['unsubscribe', { id: 7 }],
  ['publish', { id: 8, event: 'presence', contentType: 'a/b', body: Uint8Array.of(1), expires: 3600 }],
  ['options', { id: 9, to: bob }],
];

/** @type {[string, Record<string, unknown>][]} */
const outputs = [
  ['send', { message: new TextEncoder().encode('OPTIONS sip:a SIP/2.0\r\n') }], ['registered', { expires: 600 }],
  ['registrationFailed', { status: 503, reason: 'Later', retryAfter: 30 }], ['unregistered', {}],
  ['incoming', { call: 0x80000000, fromName: 'Zoë', fromURI: 'sip:z@h', sdp: 'v=0', replaces: 3 }],
  ['incoming', { call: 0x80000000, fromName: '', fromURI: '', sdp: '', replaces: null }],
  ['progress', { call: 1, status: 180, reason: 'Ringing', sdp: '' }], ['answered', { call: 1, sdp: 'v=0' }],
  ['offered', { call: 1, sdp: 'v=0' }], ['offerAnswered', { call: 1, sdp: 'v=0' }],
  ['offerFailed', { call: 1, status: 488, reason: 'No' }], ['candidates', { call: 1, fragment: 'a=mid:0' }],
  ['ended', { call: 1, cause: 'replaced', status: 200, reason: 'OK' }],
  ['ended', { call: 1, cause: 'hungUp', status: 0, reason: '' }], ['transferRequested', { call: 1, to: 'sip:c@h' }],
  ['transferProgress', { call: 1, status: 180 }], ['dtmf', { call: 1, signal: '*', milliseconds: 100 }],
  ['info', { call: 1, contentType: 'a/b', body: Uint8Array.of(0, 255) }],
  ['message', { fromURI: 'sip:z@h', contentType: plain, body: new TextEncoder().encode('hi'), sipCallID: 'x@y', call: 1 }],
  ['message', { fromURI: 'sip:z@h', contentType: '', body: new Uint8Array(), sipCallID: 'x', call: null }],
  ['messageResult', { id: 5, status: 202, reason: 'Accepted' }],
  ['notified', { id: 7, state: 'terminated', contentType: 'a/b', body: Uint8Array.of(1) }],
  ['subscriptionEnded', { id: 7, status: 481, reason: 'Gone' }], ['published', { id: 8, expires: 3600 }],
  ['publishFailed', { id: 8, status: 489, reason: 'Bad Event' }], ['optionsResult', { id: 9, status: 200, reason: 'OK' }],
  ['log', { level: 'warning', text: 'odd' }],
];

test('commands are written exactly as Swift reads them', () => {
  const written = commands.map(([name, fields]) => `${name} ${hexOf(encode(COMMANDS[name], fields))}`);
  assert.deepEqual(written, list.filter((line) => line.direction === 'command').map(({ name, hex }) => `${name} ${hex}`));
  assert.deepEqual([...new Set(commands.map(([name]) => name))].sort(), Object.keys(COMMANDS).sort());
});

test('outputs are read exactly as Swift writes them', () => {
  const read = list.filter((line) => line.direction === 'output').map(({ hex }) => decodeOutput(bytes(hex)));
  assert.deepEqual(read, outputs.map(([name, detail]) => ({ name, detail })));
  assert.deepEqual([...new Set(outputs.map(([name]) => name))].sort(), Object.keys(OUTPUTS).sort());
});

test('an output that does not fit its kind is an error, never a guess', () => {
  for (const { direction, hex } of list) {
    if (direction !== 'output') continue;
    const frame = bytes(hex);
    for (let length = 0; length < frame.length; length++) {
      assert.throws(() => decodeOutput(frame.slice(0, length)), RangeError);
    }
    assert.throws(() => decodeOutput(Uint8Array.of(...frame, 0)), RangeError);
  }
  assert.throws(() => decodeOutput(Uint8Array.of(0)), RangeError);
});

test('refusals have names', () => {
  assert.equal(refusal(0), null);
  assert.equal(refusal(1), 'unknownCall');
  assert.equal(refusal(104), 'notStarted');
  assert.equal(refusal(99), 'unknown');
});
