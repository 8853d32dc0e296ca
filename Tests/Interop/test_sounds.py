"""What a person hears while it rings: both tones as the browser's own audio engine renders them, measured."""

from __future__ import annotations

import base64

import numpy
import pytest

RATE, STOP = 48_000, 10.3

# The page's own module in an engine that renders to memory; the tone ends in the middle of a sound, as when somebody answers.
# Firefox's engine cannot be halted for that: there the recording ends.
RENDER = """async ([tone, rate, stop]) => {
  const { Tones } = await import('/phone/tones.js');
  const engine = new OfflineAudioContext(1, rate * (stop + (OfflineAudioContext.prototype.suspend ? 0.7 : 0)), rate);
  const go = engine.resume?.bind(engine);
  engine.resume = async () => {};
  const tones = new Tones(class { constructor() { return engine; } });
  tones.play(tone);
  engine.suspend?.(stop).then(() => { tones.play(undefined); go(); });
  const samples = (await engine.startRendering()).getChannelData(0);
  const bytes = new Uint8Array(samples.buffer);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}"""


def rendered(page, tone: str) -> numpy.ndarray:
    return numpy.frombuffer(base64.b64decode(page.evaluate(RENDER, [tone, RATE, STOP])), dtype="<f4").astype(float)


def sounding(samples: numpy.ndarray) -> list[tuple[float, float]]:
    """From when to when it is loud, in seconds; pauses below 50 ms count as sound."""
    loud = numpy.flatnonzero(numpy.abs(samples) > 0.002) / RATE
    breaks = numpy.flatnonzero(numpy.diff(loud) > 0.05)
    return list(zip(loud[[0, *(breaks + 1)]], loud[[*breaks, -1]]))


def strength(samples: numpy.ndarray, frequency: float, start: float, end: float) -> float:
    """The amplitude of one frequency in a stretch of time."""
    part = samples[int(start * RATE):int(end * RATE)]
    return 2 * abs(numpy.mean(part * numpy.exp(-2j * numpy.pi * frequency * numpy.arange(len(part)) / RATE)))


def steepest(samples: numpy.ndarray) -> float:
    return float(numpy.abs(numpy.diff(samples, prepend=0)).max())


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_ringback_is_425_hertz_one_second_in_five(home, browser):
    page = home.person("anna", browser)
    samples = rendered(page, "ringback")
    assert [(round(start, 1), round(end, 1)) for start, end in sounding(samples)] == [(0, 1), (5, 6), (10, 10.3)]
    assert abs(strength(samples, 425, 0.2, 0.8) - 0.08) < 0.002, "quiet: it is heard at the ear"
    # Nothing rises faster than the wave itself does: no click at a start, at an end, or when the tone is broken off.
    assert steepest(samples) < 1.15 * 0.08 * 2 * numpy.pi * 425 / RATE


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_the_ring_is_three_rising_notes_twice_in_three_seconds(home, browser):
    page = home.person("anna", browser)
    samples = rendered(page, "ring")
    heard = [(round(start, 1), round(end, 1)) for start, end in sounding(samples)]
    assert heard == [(0, 1.5), (3, 4.5), (6, 7.5), (9, 10.3)], heard
    notes = [523.25, 659.25, 783.99]
    for begin in (0, 0.75, 3, 3.75):
        for index, note in enumerate(notes):
            start = begin + 0.14 * index
            assert strength(samples, note, start + 0.02, start + 0.14) > 0.15, (begin, note)
            if index < 2:
                assert strength(samples, notes[index + 1], begin + 0.02, begin + 0.12) < 0.08, "each begins in its turn"
    assert 0.4 < numpy.abs(samples).max() < 0.8, "loud enough for the next room, and not distorted"
    assert steepest(samples) < 0.25 * 2 * numpy.pi * sum(notes) / RATE
