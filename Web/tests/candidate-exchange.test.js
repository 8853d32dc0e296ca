import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CandidateExchange } from '../phone/candidate-exchange.js';
import { settle } from './fakes.js';
import { mockTimeouts } from './mock-timeouts.js';

const description = ['v=0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=ice-ufrag:AbCd', 'a=ice-pwd:secret', 'a=mid:0', ''].join('\r\n');
const candidate = (/** @type {number} */ port) => `candidate:1 1 udp 1 192.0.2.1 ${port} typ host`;
const fragment = (/** @type {number} */ port) => `a=ice-ufrag:x\r\na=ice-pwd:y\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=${candidate(port)}\r\n`;

class FakeConnection extends EventTarget {
  localDescription = /** @type {{ sdp: string } | null} */ (null);
  remoteDescription = /** @type {{ sdp: string } | null} */ (null);
  signalingState = 'stable';
  iceGatheringState = 'new';
  /** @type {string[]} */
  added = [];
  async addIceCandidate(/** @type {{ candidate: string }} */ { candidate: line }) { this.added.push(line); }
  /** @param {number} port */
  gather(port) {
    this.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate: { candidate: candidate(port), sdpMid: '0' } }));
  }
  finish() {
    this.iceGatheringState = 'complete';
    this.dispatchEvent(new Event('icegatheringstatechange'));
  }
}

function exchange() {
  const connection = new FakeConnection();
  /** @type {string[]} */
  const sent = [];
  const made = new CandidateExchange(/** @type {any} */ (connection), (text) => sent.push(text));
  const describe = async () => { connection.localDescription = { sdp: description }; };
  return { connection, sent, made, describe };
}

test('our candidates travel together, as soon as there is a description', async (context) => {
  const clock = mockTimeouts(context);
  const { connection, sent, describe } = exchange();
  connection.gather(1);
  await describe();
  connection.gather(2);
  connection.gather(3);
  clock.tick(10);
  assert.equal(sent.length, 1);
  assert(sent[0].includes(' 2 typ') && sent[0].includes(' 3 typ'));
});

test('half trickle: the description waits for its candidates, and they are not sent again', async (context) => {
  const clock = mockTimeouts(context);
  const { connection, sent, made, describe } = exchange();
  let isComplete = false;
  made.complete(describe).then(() => { isComplete = true; });
  await settle();
  connection.gather(1);
  await settle();
  assert.equal(isComplete, false);
  connection.finish();
  await settle();
  assert.equal(isComplete, true);
  clock.tick(2_000);
  assert.deepEqual(sent, []);
  // A later description whose candidates are known waits for nothing.
  await made.complete(describe);
});

test('half trickle waits one second at most, and what comes later travels as it can', async (context) => {
  const clock = mockTimeouts(context);
  const { connection, sent, made, describe } = exchange();
  let isComplete = false;
  made.complete(describe).then(() => { isComplete = true; });
  await settle();
  connection.gather(1);
  clock.tick(1_000);
  await settle();
  assert.equal(isComplete, true);
  connection.gather(2);
  clock.tick(10);
  assert.equal(sent.length, 1);
});

test('their candidates wait for a description they fit to, and each is added once', () => {
  const { connection, made } = exchange();
  made.add(fragment(1));
  connection.remoteDescription = { sdp: description };
  connection.signalingState = 'have-remote-offer';
  made.resume();
  assert.deepEqual(connection.added, [], 'an offer that waits for its answer');
  connection.signalingState = 'stable';
  made.resume();
  made.add(fragment(1));
  made.add(fragment(2));
  assert.deepEqual(connection.added, [candidate(1), candidate(2)]);
});
