import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Devices } from '../phone/devices.js';
import { FakeTrack } from './fakes.js';

/** @param {{ audio?: string, video?: string }} failures the names of the errors with which a browser's devices fail */
function browserWith(failures) {
  /** @type {any[]} */
  const asked = [];
  return {
    asked,
    mediaDevices: {
      getUserMedia: async (/** @type {any} */ wanted) => {
        asked.push(wanted);
        for (const kind of /** @type {const} */ (['audio', 'video'])) {
          if (wanted[kind] && failures[kind]) throw Object.assign(new Error(), { name: failures[kind] });
        }
        return {
          getAudioTracks: () => wanted.audio ? [new FakeTrack('audio')] : [],
          getVideoTracks: () => wanted.video ? [new FakeTrack('video')] : [],
        };
      },
    },
    permissions: { query: async (/** @type {any} */ { name }) => ({ state: name === 'microphone' ? 'granted' : 'prompt' }) },
  };
}
const open = (/** @type {any} */ browser, /** @type {any} */ wanted) => new Devices(browser).open(wanted);

test('asks once for both, with echo, noise and loudness taken care of', async () => {
  const browser = browserWith({});
  const opened = await open(browser, { audio: true, video: true });
  assert.equal(opened.audio?.kind, 'audio');
  assert.equal(opened.video?.kind, 'video');
  assert.equal(browser.asked.length, 1);
  assert.deepEqual(browser.asked[0].audio, { echoCancellation: true, noiseSuppression: true, autoGainControl: true });
});

test('a missing camera costs only the picture', async () => {
  const opened = await open(browserWith({ video: 'NotFoundError' }), { audio: true, video: true });
  assert.equal(opened.audio?.kind, 'audio');
  assert.equal(opened.video, undefined);
  assert.equal(opened.problems.video, 'missing');
  assert.equal(opened.problems.audio, undefined);
});

test('each failure has its name', async () => {
  for (const [name, problem] of [['NotAllowedError', 'refused'], ['NotFoundError', 'missing'], ['NotReadableError', 'inUse']]) {
    assert.equal((await open(browserWith({ audio: name }), { audio: true, video: false })).problems.audio, problem);
  }
  const both = await open(browserWith({ audio: 'NotAllowedError', video: 'NotAllowedError' }), { audio: true, video: true });
  assert.deepEqual(both.problems, { audio: 'refused', video: 'refused' });
  assert.equal((await open({}, { audio: true, video: false })).problems.audio, 'insecure');
});

test('knows whether the browser will ask', async () => {
  const devices = new Devices(/** @type {any} */ (browserWith({})));
  assert.equal(await devices.granted({ audio: true, video: false }), true);
  assert.equal(await devices.granted({ audio: true, video: true }), false);
  assert.equal(await new Devices({}).granted({ audio: true, video: false }), false);
});
