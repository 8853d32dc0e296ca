import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallSession } from '../phone/call-session.js';
import { FakeAgent, FakeDevices, FakePeer, settle } from './fakes.js';
import { mockTimeouts } from './mock-timeouts.js';

/** @param {'outgoing' | 'incoming'} direction @param {boolean} [isOnline] */
function callWith(direction, isOnline = true) {
  const agent = new FakeAgent(), peer = new FakePeer(), devices = new FakeDevices();
  const world = { isOnline };
  const call = new CallSession(/** @type {any} */ ({
    id: 7, name: 'Bob', address: 'sip:bob@example.org', agent, peer, devices,
    isOnline: () => world.isOnline, untilOnline: async () => world.isOnline,
  }), direction);
  /** @type {string[]} */
  const states = [];
  call.addEventListener('statechange', () => states.push(call.state));
  return { call, agent, peer, devices, world, states };
}

/** An outgoing call that was answered. */
async function established({ video = false } = {}) {
  const parts = callWith('outgoing');
  await parts.call.dial({ video });
  parts.call.progress({ status: 180, sdp: '' });
  await parts.call.answered({ sdp: 'their answer' });
  parts.agent.commands.length = parts.peer.log.length = 0;
  return parts;
}

test('a call rings, is answered and hung up', async () => {
  const { call, agent, peer, devices, states } = callWith('outgoing');
  await call.dial({ video: true });
  assert.deepEqual(agent.commands, ['call 7 sip:bob@example.org offer 1']);
  call.progress({ status: 100, sdp: '' });
  assert.equal(call.state, 'calling');
  call.progress({ status: 180, sdp: '' });
  await call.answered({ sdp: 'their answer' });
  assert.deepEqual(peer.log, ['offer', 'take answer their answer']);
  assert.deepEqual(peer.sent, { audio: true, video: true });
  call.hangUp();
  assert.deepEqual(states, ['ringing', 'active', 'ended']);
  assert.equal(call.ending?.cause, 'hungUp');
  assert.equal(agent.commands.at(-1), 'hangUp 7');
  assert(devices.opened.length === 2 && devices.opened.every((track) => track.stopped), 'camera and microphone are off');
  assert.equal(peer.log.at(-1), 'close');
});

test('the offer does not wait for devices that open without a question', async () => {
  const { call, agent, devices } = callWith('outgoing');
  devices.gate = new Promise(() => {});
  call.dial({ video: true });
  await settle();
  assert.deepEqual(agent.commands, ['call 7 sip:bob@example.org offer 1']);
});

test('where the browser asks first, nobody is rung before the person has answered it', async () => {
  const { call, agent, devices } = callWith('outgoing');
  let allow = () => {};
  devices.isGranted = false;
  devices.gate = new Promise((resolve) => { allow = () => resolve(undefined); });
  const dialing = call.dial({ video: false });
  await settle();
  assert.deepEqual(agent.commands, []);
  allow();
  await dialing;
  assert.equal(agent.commands.length, 1);
});

test('without a microphone no call is made, and with one that fails late it is taken back', async () => {
  const early = callWith('outgoing');
  early.devices.isGranted = false;
  early.devices.problems = { audio: 'refused' };
  await early.call.dial({ video: false });
  assert.deepEqual(early.agent.commands, []);
  assert.deepEqual(early.call.ending, { cause: 'noMicrophone', status: 0, reason: '', problem: 'refused' });

  const late = callWith('outgoing');
  late.devices.problems = { audio: 'inUse' };
  let fail = () => {};
  late.devices.gate = new Promise((resolve) => { fail = () => resolve(undefined); });
  const dialing = late.call.dial({ video: false });
  await settle();
  fail();
  await dialing;
  assert.deepEqual(late.agent.commands, ['call 7 sip:bob@example.org offer 1', 'hangUp 7']);
  assert.equal(late.call.ending?.problem, 'inUse');
});

test('without a camera a video call goes on with sound alone', async () => {
  const { call, agent, peer, devices } = callWith('outgoing');
  devices.isGranted = false;
  devices.problems = { video: 'missing' };
  await call.dial({ video: true });
  assert.equal(agent.commands.length, 1);
  assert.deepEqual(peer.sent, { audio: true, video: false });
  assert.equal(call.isCameraOn, false);
  assert.equal(call.problems.video, 'missing');
});

test('a call without a server says so', async () => {
  const { call } = callWith('outgoing', false);
  await call.dial({ video: false });
  assert.equal(call.ending?.cause, 'offline');
});

test('an incoming call is answered with a microphone or without', async () => {
  for (const problem of [undefined, 'refused']) {
    const { call, agent, peer, devices, states } = callWith('incoming');
    devices.problems = { audio: problem };
    devices.isGranted = !problem;
    await call.ring('their offer');
    await call.answer({ video: false });
    assert.deepEqual(peer.log, ['take their offer', 'answer']);
    assert.deepEqual(agent.commands, ['answer 7 answer 1']);
    assert.equal(peer.sent.audio, !problem);
    assert.deepEqual(states, ['answering', 'active']);
    await call.answered({ sdp: '' });
    assert.equal(peer.log.length, 2, 'there is nothing more to take');
  }
});

test('a caller that wants our offer gets it in the answer', async () => {
  const { call, agent, peer } = callWith('incoming');
  await call.ring('');
  await call.answer({ video: false });
  assert.deepEqual(agent.commands, ['answer 7 offer 1']);
  await call.answered({ sdp: 'their answer' });
  assert.deepEqual(peer.log, ['offer', 'take answer their answer']);
});

test('an offer nobody understands fails before it rings', async () => {
  await assert.rejects(callWith('incoming').call.ring('nonsense'));
});

test('declining and giving up have their own words', async () => {
  const declined = callWith('incoming');
  await declined.call.ring('their offer');
  declined.call.decline();
  assert.deepEqual(declined.agent.commands, ['reject 7 603']);
  assert.equal(declined.call.ending?.cause, 'declined');
  const given = callWith('outgoing');
  await given.call.dial({ video: false });
  given.call.hangUp();
  assert.equal(given.call.ending?.cause, 'cancelled');
  given.call.ended({ cause: 'cancelled', status: 487, reason: '' });
  assert.equal(given.states.filter((state) => state === 'ended').length, 1, 'it ends once');
});

test('a device that opens after the end is switched off again', async () => {
  const { call, devices } = callWith('outgoing');
  let open = () => {};
  devices.gate = new Promise((resolve) => { open = () => resolve(undefined); });
  call.dial({ video: true });
  await settle();
  call.hangUp();
  open();
  await settle();
  assert.equal(devices.opened.length, 2);
  assert(devices.opened.every((track) => track.stopped));
});

test('muting silences the track and survives the microphone', async () => {
  const { call, devices } = await established();
  await call.setMuted(true);
  assert.equal(devices.opened[0].enabled, false);
  await call.setMuted(false);
  assert.equal(devices.opened[0].enabled, true);
});

test('the camera comes on by a new offer, and goes off by another', async () => {
  const { call, agent, peer, devices } = await established();
  await call.setCamera(true);
  await settle();
  assert.deepEqual(agent.commands, ['offer 7 offer 2']);
  assert.equal(peer.tracks.video?.kind, 'video');
  await call.offerAnswered({ sdp: 'yes' });
  await call.setCamera(false);
  await settle();
  assert.deepEqual(agent.commands, ['offer 7 offer 2', 'offer 7 offer 3']);
  assert.equal(devices.opened.at(-1)?.stopped, true);
  assert.equal(peer.tracks.video, null);
});

test('a camera pressed on and off faster than it opens ends off', async () => {
  const { call, devices, peer } = await established();
  let open = () => {};
  devices.gate = new Promise((resolve) => { open = () => resolve(undefined); });
  call.setCamera(true);
  await settle();
  call.setCamera(false);
  open();
  await settle();
  assert.equal(call.isCameraOn, false);
  assert.equal(peer.sent.video, false);
  assert(devices.opened.filter((track) => track.kind === 'video').every((track) => track.stopped));
});

test('one offer at a time: what changes meanwhile is offered after the answer', async () => {
  const { call, agent, peer } = await established();
  peer.need();
  peer.need();
  await settle();
  assert.equal(agent.commands.length, 1);
  await call.offerAnswered({ sdp: 'yes' });
  await settle();
  assert.deepEqual(agent.commands, ['offer 7 offer 2', 'offer 7 offer 3']);
});

test('nothing is offered before the call is established, or while the server is away', async () => {
  const { call, agent, peer, world } = callWith('outgoing');
  await call.dial({ video: false });
  peer.need();
  await settle();
  assert.equal(agent.commands.length, 1);
  world.isOnline = false;
  await call.answered({ sdp: 'their answer' });
  await settle();
  assert.equal(agent.commands.length, 1);
  world.isOnline = true;
  call.online();
  await settle();
  assert.deepEqual(agent.commands.slice(1), ['offer 7 offer 2']);
});

test('their offer is answered, and hold shows', async () => {
  const { call, agent, peer } = await established();
  peer.isHeld = true;
  await call.offered({ sdp: 'hold' });
  assert.deepEqual(peer.log, ['take hold', 'answer']);
  assert.deepEqual(agent.commands, ['answerOffer 7 answer 2']);
  assert.equal(call.isHeld, true);
});

test('an offer that cannot be taken is refused and the call goes on', async () => {
  const { call, agent } = await established();
  await call.offered({ sdp: 'nonsense' });
  assert.deepEqual(agent.commands, ['rejectOffer 7 488']);
  assert.equal(call.state, 'active');
});

test('both offer at once: 491, back, and again after a while', async (context) => {
  const clock = mockTimeouts(context);
  const { call, agent, peer } = await established();
  peer.need();
  await settle();
  const theirs = call.offered({ sdp: 'their offer' });
  await theirs;
  assert.deepEqual(agent.commands, ['offer 7 offer 2', 'rejectOffer 7 491']);
  await call.offerFailed({ status: 491 });
  assert.equal(peer.log.at(-1), 'rollback');
  // The other side may be faster now.
  await call.offered({ sdp: 'their offer' });
  assert.equal(agent.commands.at(-1), 'answerOffer 7 answer 3');
  clock.tick(2_000);
  await settle();
  assert.equal(agent.commands.length, 3, 'the caller waits at least 2.1 s (RFC 3261 §14.1)');
  clock.tick(2_000);
  await settle();
  assert.equal(agent.commands.at(-1), 'offer 7 offer 4');
});

test('an offer that theirs overtakes while it is being made is taken back and made again', async () => {
  const { call, agent, peer } = await established();
  peer.need();
  await call.offered({ sdp: 'their offer' });
  await settle();
  assert.deepEqual(agent.commands, ['answerOffer 7 answer 3', 'offer 7 offer 4']);
  assert.deepEqual(peer.log, ['offer', 'rollback', 'take their offer', 'answer', 'offer']);
});

test('an offer the agent will not send is made again later', async (context) => {
  const clock = mockTimeouts(context);
  const { agent, peer } = await established();
  agent.refuse.add('offer');
  peer.need();
  await settle();
  assert.equal(peer.log.at(-1), 'rollback');
  agent.refuse.clear();
  clock.tick(500);
  await settle();
  assert.deepEqual(agent.commands, ['offer 7 offer 2', 'offer 7 offer 3']);
});

test('a camera that the other side refuses goes off, and nothing is asked again in vain', async () => {
  const { call, agent, peer } = await established();
  await call.setCamera(true);
  await settle();
  await call.offerFailed({ status: 488 });
  await settle();
  assert.equal(call.isCameraOn, false);
  assert.equal(call.isCameraRefused, true);
  peer.need();
  await settle();
  assert.equal(agent.commands.length, 1);
  assert.equal(call.state, 'active');
});

test('a lost path is sought at once when it failed, and again when the server is back', async (context) => {
  const clock = mockTimeouts(context);
  const { call, agent, peer, world } = await established();
  const path = (/** @type {string} */ state) => {
    peer.path = state;
    peer.dispatchEvent(new Event('pathchange'));
  };
  path('connected');
  world.isOnline = false;
  path('disconnected');
  assert.equal(call.isPathLost, true);
  path('failed');
  clock.tick(0);
  await settle();
  assert.deepEqual(peer.log, ['restart']);
  assert.deepEqual(agent.commands, [], 'without a server nothing can be offered');
  world.isOnline = true;
  call.online();
  await settle();
  assert.deepEqual(agent.commands, ['offer 7 offer 2']);
  path('connected');
  assert.equal(call.isPathLost, false);
  clock.tick(60_000);
  assert.equal(call.state, 'active');
});

test('candidates travel both ways', async () => {
  const { call, agent, peer } = await established();
  peer.dispatchEvent(new CustomEvent('candidates', { detail: 'fragment' }));
  assert.deepEqual(agent.commands, ['candidates 7 fragment']);
  await call.candidates({ fragment: 'theirs' });
  assert.deepEqual(peer.log, ['candidates theirs']);
});

test('an early answer is confirmed by an answer without one', async () => {
  const { call, peer } = callWith('outgoing');
  await call.dial({ video: false });
  call.progress({ status: 183, sdp: 'early' });
  await call.answered({ sdp: '' });
  assert.deepEqual(peer.log, ['offer', 'take pranswer early', 'take answer early']);
});

test('an answer that cannot be taken ends the call', async () => {
  const { call, agent } = callWith('outgoing');
  await call.dial({ video: false });
  await call.answered({ sdp: 'nonsense' });
  assert.equal(call.ending?.cause, 'failed');
  assert.equal(agent.commands.at(-1), 'hangUp 7');
});
