import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Phone } from '../phone/phone.js';
import { FakeAgent, FakeDevices, FakePeer, settle } from './fakes.js';

class FakeConnection extends EventTarget {
  state = 'closed';
  /** @type {string[]} */
  sent = [];
  woken = 0;
  /** @param {string} state */
  become(state) {
    this.state = state;
    this.dispatchEvent(new Event('statechange'));
  }
  /** @param {string} bytes */
  send(bytes) { this.sent.push(bytes); }
  wake() { this.woken += 1; }
  close() { this.become('closed'); }
}

function makePhone({ inCallElsewhere = false } = {}) {
  const agent = new FakeAgent(), connection = new FakeConnection();
  /** @type {FakePeer[]} */
  const peers = [];
  const phone = new Phone(/** @type {any} */ ({
    agent, connection, devices: new FakeDevices(),
    tab: { enterCall() {}, isInCall: async () => inCallElsewhere },
    makePeer: () => {
      const peer = new FakePeer();
      peers.push(peer);
      return peer;
    },
    nameOf: (/** @type {string} */ _, /** @type {string} */ name) => name,
  }));
  /** @type {any[]} */
  const ringing = [];
  phone.addEventListener('incoming', (event) => ringing.push(/** @type {CustomEvent} */ (event).detail));
  const ring = async (/** @type {number} */ call, name = 'Anna', sdp = 'their offer') => {
    agent.tell('incoming', { call, fromName: name, fromURI: `sip:${name.toLowerCase()}@example.org;gr=x`, sdp, replaces: null });
    await settle();
  };
  const register = () => {
    connection.become('open');
    agent.tell('registered', { expires: 600 });
  };
  return { phone, agent, connection, peers, ringing, ring, register };
}
const anna = { address: 'sip:anna@example.org', fullName: 'Anna' };

test('bytes pass both ways, and the agent knows of the connection', () => {
  const { agent, connection } = makePhone();
  connection.become('open');
  agent.tell('send', 'bytes');
  connection.dispatchEvent(new CustomEvent('message', { detail: 'answer' }));
  connection.become('waiting');
  assert.deepEqual(connection.sent, ['bytes']);
  assert.deepEqual(agent.commands, ['connected', 'received answer', 'disconnected']);
});

test('reconnecting shows only once it was there', () => {
  const { phone, connection, register } = makePhone();
  connection.become('connecting');
  assert.equal(phone.isReconnecting, false);
  register();
  assert.equal(phone.isRegistered, true);
  connection.become('waiting');
  assert.equal(phone.isReconnecting, true);
  register();
  assert.equal(phone.isReconnecting, false);
});

test('a call made before the registration waits for it', async () => {
  const { phone, agent, connection, register } = makePhone();
  const call = phone.dial(anna, { video: false });
  await settle();
  assert.equal(connection.woken, 1);
  assert.equal(agent.commands.length, 0);
  register();
  await settle();
  assert.equal(agent.commands.at(-1), 'call 1 sip:anna@example.org offer 1');
  assert.equal(phone.dial(anna, { video: false }), undefined, 'one call at a time');
  agent.tell('ended', { call: 1, cause: 'busy', status: 486, reason: 'Busy Here' });
  assert.equal(call?.ending?.cause, 'busy');
  phone.dial(anna, { video: true });
  await settle();
  assert.equal(agent.commands.at(-1), 'call 2 sip:anna@example.org offer 1');
});

test('an incoming call rings, is answered, and ends', async () => {
  const { phone, agent, ringing, ring } = makePhone();
  await ring(2 ** 31);
  assert.equal(ringing.length, 1);
  phone.answer(ringing[0], { video: false });
  await settle();
  assert.equal(agent.commands.at(-1), `answer ${2 ** 31} answer 1`);
  assert.equal(phone.call, ringing[0]);
  agent.tell('ended', { call: 2 ** 31, cause: 'remoteHungUp', status: 0, reason: '' });
  assert.equal(phone.call?.isOver, true);
  phone.dismiss();
  assert.equal(phone.call, undefined);
});

test('whoever calls while another call is on, here or in another tab, hears busy', async () => {
  const here = makePhone();
  here.register();
  here.phone.dial(anna, { video: false });
  await settle();
  await here.ring(2 ** 31, 'Carol');
  assert.equal(here.agent.commands.at(-1), `reject ${2 ** 31} 486`);
  const elsewhere = makePhone({ inCallElsewhere: true });
  await elsewhere.ring(2 ** 31);
  assert.equal(elsewhere.agent.commands.at(-1), `reject ${2 ** 31} 486`);
  assert.equal(here.ringing.length + elsewhere.ringing.length, 0);
});

test('two who call each other are not busy: answering one ends the other', async () => {
  const { phone, agent, ringing, ring, register } = makePhone();
  register();
  phone.dial(anna, { video: false });
  await settle();
  await ring(2 ** 31, 'Anna');
  assert.equal(ringing.length, 1);
  phone.answer(ringing[0], { video: false });
  await settle();
  assert.deepEqual(agent.commands.slice(-2), ['hangUp 1', `answer ${2 ** 31} answer 1`]);
});

test('an offer that cannot be understood is refused and does not ring', async () => {
  const { agent, ringing, ring } = makePhone();
  await ring(2 ** 31, 'Anna', 'nonsense');
  assert.equal(agent.commands.at(-1), `reject ${2 ** 31} 488`);
  assert.equal(ringing.length, 0);
});

test('a caller that gives up at once does not ring', async () => {
  const { agent, ringing } = makePhone();
  agent.tell('incoming', { call: 2 ** 31, fromName: 'Anna', fromURI: 'sip:a@b', sdp: 'their offer', replaces: null });
  agent.tell('ended', { call: 2 ** 31, cause: 'cancelled', status: 0, reason: '' });
  await settle();
  assert.equal(ringing.length, 0);
});

test("after the agent's restart a running call keeps its media, and no command reaches another call", async () => {
  const { phone, agent, ringing, ring, peers } = makePhone();
  await ring(2 ** 31);
  phone.answer(ringing[0], { video: false });
  await settle();
  agent.tell('restarted');
  assert.equal(phone.call?.state, 'active');
  const count = agent.commands.length;
  phone.call?.hangUp();
  assert.equal(agent.commands.length, count);
  assert.equal(peers[0].log.at(-1), 'close');
});

test('a registration that is refused for good is told', () => {
  const { phone, agent } = makePhone();
  /** @type {number[]} */
  const refused = [];
  phone.addEventListener('refused', (event) => refused.push(/** @type {CustomEvent} */ (event).detail));
  agent.tell('registrationFailed', { status: 503, reason: '', retryAfter: 5 });
  agent.tell('registrationFailed', { status: 403, reason: '', retryAfter: 0 });
  assert.deepEqual(refused, [403]);
});
