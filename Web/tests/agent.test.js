import { test } from 'node:test';
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { COMMANDS, CONFIGURATION, encode } from '../phone/frames.js';
import { Clock, TestPhone, header, join, respond, wasm } from './phone-wasm.js';

const OFFER = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=ice-options:trickle',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'c=IN IP4 0.0.0.0', 'a=mid:0', 'a=sendrecv', 'a=rtpmap:111 opus/48000/2',
  'a=ice-ufrag:abcd', 'a=ice-pwd:0123456789012345678901', 'a=setup:actpass', `a=fingerprint:sha-256 ${'AB:'.repeat(31)}AB`,
  ''].join('\r\n');
const ANSWER = OFFER.replace('actpass', 'active').replace('o=- 1 1', 'o=- 2 1');
const FRAME_ERRORS = ['unknownKind', 'truncated', 'trailingBytes', 'badField', 'notStarted', 'unknown'];

/** The bare exports, without an agent around them. */
async function bare() {
  const { instance } = await WebAssembly.instantiate(/** @type {BufferSource} */ (wasm), {
    env: { hearth_random: (/** @type {number} */ at, /** @type {number} */ count) =>
      crypto.getRandomValues(new Uint8Array(/** @type {any} */ (instance.exports).memory.buffer, at, count)) },
  });
  const phone = /** @type {any} */ (instance.exports);
  return {
    phone,
    /** @param {string} name @param {Uint8Array} bytes @param {number} [now] @returns {number} */
    give(name, bytes, now = 1000) {
      const pointer = phone.hearth_allocate(bytes.length);
      new Uint8Array(phone.memory.buffer, pointer, bytes.length).set(bytes);
      const result = phone[name](pointer, bytes.length, now);
      phone.hearth_free(pointer, bytes.length);
      return result;
    },
  };
}

/** Two phones that are registered and joined. */
async function pair() {
  const clock = new Clock();
  const [anna, bob] = [new TestPhone('anna', clock), new TestPhone('bob', clock)];
  join(anna, bob);
  for (const phone of [anna, bob]) {
    assert.equal(await phone.start(), null);
    phone.agent.connected();
  }
  return { clock, anna, bob };
}

// With wasm-opt (scripts/setup installs it); without, it is 6 % more.
test('the phone weighs at most 80 KB compressed', () => {
  const size = gzipSync(wasm, { level: 9 }).length;
  assert(size <= 80 * 1024, `${size} bytes`);
});

test('every command reaches the phone in Swift', async () => {
  const phone = new TestPhone('anna', new Clock());
  await phone.start();
  for (const name of /** @type {(keyof typeof COMMANDS)[]} */ (Object.keys(COMMANDS))) {
    const refusal = /** @type {any} */ (phone.agent)[name]({
      call: 0x80000005, id: 5, other: 6, new: 6, status: 486, to: 'sip:bob@example.org', event: 'presence', signal: '1',
      contentType: 'text/plain', accept: 'text/plain', expires: 60, milliseconds: 100,
    });
    assert(!FRAME_ERRORS.includes(refusal), `${name}: ${refusal}`);
  }
  assert.equal(phone.last('restarted'), undefined);
  assert.equal(phone.agent.hangUp({ call: 5 }), 'unknownCall');
  assert.equal(phone.agent.dtmf({ call: 5, signal: 'ü€'[1], milliseconds: 100 }), 'badField');
});

test('malformed frames give error numbers and never a trap', async () => {
  const { phone, give } = await bare();
  assert.equal(give('hearth_command', Uint8Array.of(1)), 104);
  assert.equal(give('hearth_start', Uint8Array.of(1, 255, 255, 255, 255)), 101);
  assert.equal(give('hearth_start', new Uint8Array()), 101);
  for (const kind of Object.values(COMMANDS)) {
    const frame = encode(kind, {});
    for (let length = 1; length < frame.length; length++) {
      assert.equal(give('hearth_command', frame.slice(0, length)), 101);
    }
    assert.equal(give('hearth_command', Uint8Array.of(...frame, 0)), 102);
  }
  assert.equal(give('hearth_command', Uint8Array.of(200)), 100);
  assert.equal(phone.hearth_poll(), 0);
  assert.equal(phone.hearth_deadline(), Infinity);
});

test('a phone registers, answers a challenge and registers again in time', async () => {
  const clock = new Clock();
  const phone = new TestPhone('anna', clock);
  assert.equal(await phone.start({ password: 'secret' }), null);
  assert.deepEqual(phone.sent, []);
  phone.agent.connected();
  const [first] = phone.sent;
  assert.match(first, /^REGISTER sip:example\.org SIP\/2\.0\r\n/);
  assert.match(first, /Via: SIP\/2\.0\/WSS anna\.invalid;/);
  phone.agent.received(respond(first, '401 Unauthorized',
    'WWW-Authenticate: Digest realm="example.org", nonce="abc", qop="auth", algorithm=SHA-256'));
  const second = phone.sent[1];
  assert.match(header(second, 'Authorization') ?? '', /username="anna".*response="[0-9a-f]{64}"/);
  phone.agent.received(respond(second, '200 OK', `Contact: ${header(second, 'Contact')}`));
  assert.equal(phone.last('registered').expires, 600);
  clock.advance(599_000);
  assert.match(phone.sent[2], /^REGISTER/);
  assert.equal(clock.timers, 1);
});

test('two phones call, talk and hang up', async () => {
  const { clock, anna, bob } = await pair();
  assert(anna.last('registered') && bob.last('registered'));
  assert.equal(anna.agent.call({ call: 1, to: 'sip:bob@example.org', offer: OFFER }), null);
  const incoming = bob.last('incoming');
  assert.equal(incoming.sdp, OFFER);
  assert.equal(incoming.fromURI, 'sip:anna@example.org');
  assert.equal(anna.last('progress').status, 180);
  assert.equal(bob.agent.answer({ call: incoming.call, sdp: ANSWER }), null);
  assert.equal(anna.last('answered').sdp, ANSWER);
  assert.equal(bob.last('answered').call, incoming.call);

  // A changed offer: an unchanged one refreshes the session and is answered without asking.
  const hold = OFFER.replace('o=- 1 1', 'o=- 1 2').replace('sendrecv', 'sendonly');
  assert.equal(anna.agent.offer({ call: 1, sdp: hold }), null);
  assert.equal(bob.last('offered').sdp, hold);
  assert.equal(bob.agent.answerOffer({ call: incoming.call, sdp: ANSWER }), null);
  assert.equal(anna.last('offerAnswered').sdp, ANSWER);

  assert.equal(bob.agent.dtmf({ call: incoming.call, signal: '5', milliseconds: 120 }), null);
  assert.equal(anna.last('dtmf').signal, '5');

  assert.equal(bob.agent.hangUp({ call: incoming.call }), null);
  assert.equal(anna.last('ended').cause, 'remoteHungUp');
  assert.equal(bob.last('ended').cause, 'hungUp');
  clock.advance(60_000);
  assert.deepEqual([...anna.events, ...bob.events].filter(({ name }) => name === 'restarted'), []);
});

test('a call is declined, is given up, and rings in vain', async () => {
  const { clock, anna, bob } = await pair();
  anna.agent.call({ call: 1, to: 'sip:bob@example.org', offer: OFFER });
  bob.agent.reject({ call: bob.last('incoming').call, status: 603 });
  assert.equal(anna.last('ended').cause, 'declined');
  anna.agent.call({ call: 2, to: 'sip:bob@example.org', offer: OFFER });
  anna.agent.hangUp({ call: 2 });
  assert.equal(bob.last('ended').cause, 'cancelled');
  assert.equal(anna.last('ended').cause, 'cancelled');
  anna.agent.call({ call: 3, to: 'sip:bob@example.org', offer: OFFER });
  clock.advance(120_000);
  assert.equal(anna.last('ended').call, 3);
  assert.equal(anna.last('ended').cause, 'noAnswer');
});

test('a message arrives and is acknowledged', async () => {
  const { anna, bob } = await pair();
  anna.agent.message({ id: 4, to: 'sip:bob@example.org', contentType: 'text/plain', body: 'Grüße' });
  assert.equal(new TextDecoder().decode(bob.last('message').body), 'Grüße');
  assert.equal(anna.last('messageResult').id, 4);
});

test('a trap makes a fresh phone, registered again, and the page goes on', async () => {
  const { anna, bob } = await pair();
  anna.events.length = 0;
  // More than the runtime gives out.
  anna.agent.received(new Uint8Array(80 << 20));
  assert.match(anna.last('restarted').error, /RuntimeError/);
  assert(anna.last('registered'));
  assert.equal(anna.agent.call({ call: 1, to: 'sip:bob@example.org', offer: OFFER }), null);
  assert(bob.last('incoming'));
  for (let trap = 0; trap < 9; trap++) anna.agent.received(new Uint8Array(80 << 20));
  assert(anna.last('failed'));
  assert.equal(anna.agent.register(), 'notStarted');
});

test('commands given by a listener come after what was already waiting', async () => {
  const { anna, bob } = await pair();
  bob.agent.addEventListener('incoming', (event) => {
    bob.agent.answer({ call: /** @type {CustomEvent} */ (event).detail.call, sdp: ANSWER });
  });
  anna.agent.call({ call: 1, to: 'sip:bob@example.org', offer: OFFER });
  assert.equal(anna.last('answered').sdp, ANSWER);
  assert(anna.events.findIndex(({ name }) => name === 'progress') < anna.events.findIndex(({ name }) => name === 'answered'));
});

test('what is over leaves no memory behind', async () => {
  const { phone, give } = await bare();
  const configuration = encode(CONFIGURATION, { aor: 'sip:anna@example.org', transport: 'wss', sentBy: 'a.invalid', trickle: 'full' });
  assert.equal(give('hearth_start', configuration), 0);
  phone.hearth_connected(1000);
  const used = [];
  let now = 1000;
  for (let round = 0; round < 6; round++) {
    for (let number = 1; number <= 20; number++) {
      const id = round * 100 + number;
      const message = encode(COMMANDS.message, { id, to: 'sip:b@h', contentType: 'a/b', body: 'x'.repeat(4000) });
      assert.equal(give('hearth_command', message, now), 0);
      const call = encode(COMMANDS.call, { call: id, to: 'sip:b@h', offer: OFFER });
      give('hearth_command', call, now);
      give('hearth_command', encode(COMMANDS.hangUp, { call: id }), now);
    }
    for (let step = 0; step < 300; step++) {
      phone.hearth_timeout(now += 1000);
      while (phone.hearth_poll() > 0);
    }
    used.push(phone.hearth_memory_used());
  }
  // A REGISTER may be on its way at any one moment, since it waits for random times.
  const [early, late] = [Math.min(...used.slice(0, 3)), Math.min(...used.slice(3))];
  assert(late <= early + 256, `bytes in use after each round: ${used}`);
});

test('bytes of any kind from the server do no harm', async () => {
  const clock = new Clock();
  const phone = new TestPhone('anna', clock);
  await phone.start();
  phone.agent.connected();
  const [request] = phone.sent;
  const good = new TextEncoder().encode(respond(request, '200 OK', `Contact: ${header(request, 'Contact')}`));
  let state = 12345;
  const random = (/** @type {number} */ below) => (state = (state * 1103515245 + 12345) & 0x7fffffff) % below;
  for (let round = 0; round < 3000; round++) {
    const damaged = good.slice(0, random(4) ? good.length : random(good.length));
    for (let change = random(6); change >= 0; change--) damaged[random(damaged.length)] = random(256);
    phone.agent.received(damaged);
  }
  phone.agent.received('');
  phone.agent.received(new Uint8Array(70_000));
  assert.equal(phone.last('restarted'), undefined);
});
