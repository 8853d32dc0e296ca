import assert from 'node:assert/strict';
import { test } from 'node:test';
import { render } from '../phone/tones.js';

test('ringback is a second in five, and both tones loop without a click', () => {
  const rate = 48_000;
  const ringback = render('ringback', rate);
  assert.equal(ringback.length, 5 * rate);
  const power = (/** @type {number} */ from, /** @type {number} */ to) =>
    ringback.subarray(from * rate, to * rate).reduce((sum, sample) => sum + sample * sample, 0);
  assert(power(0.2, 0.8) > 1);
  assert.equal(power(1, 5), 0);
  for (const samples of [ringback, render('ring', rate)]) {
    const steps = samples.map((sample, index) => Math.abs(sample - samples[(index + samples.length - 1) % samples.length]));
    assert(steps.every((step) => step < 0.25));
    assert(samples.every((sample) => Math.abs(sample) <= 1));
  }
});
