import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff, Connection } from '../phone/connection.js';
import { mockTimeouts } from './mock-timeouts.js';

class FakeSocket {
  /** @type {FakeSocket[]} */
  static made = [];
  binaryType = '';
  isClosed = false;
  /** @type {Uint8Array[]} */
  sent = [];
  /** @type {any} */ onopen;
  /** @type {any} */ onmessage;
  /** @type {any} */ onclose;
  /** @param {string} url @param {string} protocol */
  constructor(url, protocol) {
    this.url = url;
    this.protocol = protocol;
    FakeSocket.made.push(this);
  }
  /** @param {Uint8Array} bytes */
  send(bytes) { this.sent.push(bytes); }
  close() { this.isClosed = true; }
}

function connected() {
  FakeSocket.made = [];
  const connection = new Connection('wss://hearth.example/sip', { WebSocket: /** @type {any} */ (FakeSocket), random: () => 1 });
  /** @type {string[]} */
  const states = [];
  connection.addEventListener('statechange', () => states.push(connection.state));
  connection.open();
  return { connection, states };
}

test('waits grow to half a minute and are scattered by chance', () => {
  assert.deepEqual([0, 1, 2, 6, 7, 99].map((attempt) => backoff(attempt, 1)), [500, 1000, 2000, 30_000, 30_000, 30_000]);
  assert.deepEqual([0, 99].map((attempt) => backoff(attempt, 0)), [250, 15_000]);
});

test('asks for the subprotocol sip and carries bytes', () => {
  const { connection, states } = connected();
  const [socket] = FakeSocket.made;
  assert.equal(socket.protocol, 'sip');
  connection.send(Uint8Array.of(1));
  socket.onopen();
  connection.send(Uint8Array.of(2));
  assert.deepEqual(socket.sent, [Uint8Array.of(2)]);
  /** @type {Uint8Array[]} */
  const received = [];
  connection.addEventListener('message', (event) => received.push(/** @type {CustomEvent} */ (event).detail));
  socket.onmessage({ data: Uint8Array.of(3, 4).buffer });
  socket.onmessage({ data: 'é' });
  assert.deepEqual(received, [Uint8Array.of(3, 4), Uint8Array.of(0xc3, 0xa9)]);
  connection.close();
  assert.deepEqual(states, ['connecting', 'open', 'closed']);
});

test('comes back after losses, ever more slowly until the server speaks', (context) => {
  const clock = mockTimeouts(context);
  const { connection } = connected();
  for (const wait of [500, 1000, 2000]) {
    FakeSocket.made.at(-1)?.onclose();
    assert.equal(connection.state, 'waiting');
    const count = FakeSocket.made.length;
    clock.tick(wait - 1);
    assert.equal(FakeSocket.made.length, count);
    clock.tick(1);
    assert.equal(FakeSocket.made.length, count + 1);
  }
  FakeSocket.made.at(-1)?.onopen();
  FakeSocket.made.at(-1)?.onmessage({ data: 'x' });
  FakeSocket.made.at(-1)?.onclose();
  const count = FakeSocket.made.length;
  clock.tick(500);
  assert.equal(FakeSocket.made.length, count + 1, 'the first wait again');
  connection.close();
});

test('a server that never accepts is given up, and its late words are ignored', (context) => {
  const clock = mockTimeouts(context);
  const { connection } = connected();
  const [stale] = FakeSocket.made;
  clock.tick(10_000);
  assert.equal(connection.state, 'waiting');
  assert(stale.isClosed);
  stale.onopen();
  assert.equal(connection.state, 'waiting');
  connection.close();
});

test('hope shortens the wait, and a changed network replaces even an open socket', (context) => {
  const clock = mockTimeouts(context);
  const { connection } = connected();
  FakeSocket.made[0].onopen();
  connection.wake();
  assert.equal(FakeSocket.made.length, 1, 'nothing to do while it is open');
  connection.renew();
  assert.equal(FakeSocket.made.length, 2);
  assert(FakeSocket.made[0].isClosed);
  FakeSocket.made[1].onclose();
  connection.wake();
  assert.equal(FakeSocket.made.length, 3);
  connection.close();
  clock.tick(60_000);
  connection.renew();
  assert.equal(FakeSocket.made.length, 3, 'closed stays closed');
});
