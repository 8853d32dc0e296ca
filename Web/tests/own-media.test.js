import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noticesOf } from '../components/call-words.js';
import { OwnMedia } from '../phone/own-media.js';
import { FakeDevices, FakePeer, settle } from './fakes.js';
import { mockTimeouts } from './mock-timeouts.js';

/** In a call with microphone and camera. */
async function talking() {
  const devices = new FakeDevices(), peer = new FakePeer();
  const own = new OwnMedia(/** @type {any} */ (devices), /** @type {any} */ (peer));
  await own.open(true);
  peer.connection.remoteDescription = { sdp: 'theirs' };
  let offers = 0;
  peer.addEventListener('negotiationneeded', () => { offers += 1; });
  const [microphone, camera] = devices.opened;
  const notices = () => noticesOf(/** @type {any} */ ({ name: 'Bob', problems: own.problems, replaced: own.replaced }));
  return { own, devices, peer, microphone, camera, notices, offers: () => offers };
}

test('a microphone that is unplugged is replaced by another, without an offer, and the page says so for a while', async (context) => {
  const clock = mockTimeouts(context);
  const { own, devices, peer, microphone, notices, offers } = await talking();
  microphone.unplug();
  await settle();
  assert.equal(devices.opened.length, 3);
  assert.equal(peer.tracks.audio, devices.opened[2]);
  assert.deepEqual(own.problems, { audio: undefined, video: undefined });
  assert.match(notices().join(), /microphone was unplugged. The call goes on/);
  assert.equal(offers(), 0);
  clock.tick(8_000);
  assert.deepEqual(notices(), []);
});

test('without another microphone the call goes on, and the next one that is plugged in is taken', async () => {
  const { own, devices, peer, microphone, notices, offers } = await talking();
  devices.problems = { audio: 'missing' };
  microphone.unplug();
  await settle();
  assert.equal(own.problems.audio, 'gone');
  assert.equal(peer.tracks.audio, null);
  assert.match(notices().join(), /nobody hears you/);
  devices.change();
  devices.change();
  await settle();
  assert.equal(own.problems.audio, 'gone');
  devices.problems = {};
  devices.change();
  devices.change();
  await settle();
  assert.equal(devices.opened.length, 3, 'one is enough');
  assert.equal(peer.tracks.audio, devices.opened[2]);
  assert.equal(own.problems.audio, undefined);
  assert.equal(offers(), 0);
});

test('whoever was muted stays muted with the other microphone', async () => {
  const { own, devices, microphone } = await talking();
  await own.setMuted(true);
  microphone.unplug();
  await settle();
  assert.equal(devices.opened[2].enabled, false);
});

test('a microphone that the person forbids in mid-call is not asked for again', async () => {
  const { own, devices, microphone } = await talking();
  devices.problems = { audio: 'refused' };
  microphone.unplug();
  await settle();
  assert.equal(own.problems.audio, 'refused');
  devices.problems = {};
  devices.change();
  await settle();
  assert.equal(devices.opened.length, 2);
  await own.setMuted(false);
  assert.equal(devices.opened.length, 3, 'until she presses the button');
});

test('a camera that is unplugged is replaced, or the picture goes off', async () => {
  const { own, devices, peer, camera } = await talking();
  camera.unplug();
  await settle();
  assert.equal(peer.tracks.video, devices.opened[2]);
  assert.equal(own.replaced.video, true);
  devices.problems = { video: 'missing' };
  devices.opened[2].unplug();
  await settle();
  assert.equal(own.problems.video, 'gone');
  assert.equal(own.isCameraOn, false);
  assert.equal(peer.sent.video, false);
  devices.problems = {};
  devices.change();
  await settle();
  assert.equal(own.isCameraOn, false, 'a camera never comes on by itself');
});

test('nothing is opened when the call is over', async () => {
  const { own, devices, microphone } = await talking();
  own.close();
  microphone.unplug();
  devices.change();
  await settle();
  assert.equal(devices.opened.length, 2);
  assert(devices.opened.every((track) => track.stopped));
});
