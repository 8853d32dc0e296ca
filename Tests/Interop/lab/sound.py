"""An ear: makes speech-like sound, and says whether what came out is what went in."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy


def read_wave(path: Path) -> tuple[numpy.ndarray, int]:
    """Mono samples in -1…1 and the sample rate."""
    with wave.open(str(path)) as file:
        samples = numpy.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float) / 32768
        return samples.reshape(-1, file.getnchannels())[:, 0], file.getframerate()


def write_wave(path: Path, samples: numpy.ndarray, rate: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((numpy.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def make_sound(path: Path, seconds: float = 6, rate: int = 48_000, seed: int = 1) -> None:
    """Syllable-like bursts in the band of every codec (300–3000 Hz), different for each seed, never periodic."""
    random = numpy.random.default_rng(seed)
    time = numpy.arange(int(seconds * rate)) / rate
    samples = numpy.zeros_like(time)
    start = 0.05
    while start < seconds - 0.4:
        length = random.uniform(0.12, 0.3)
        inside = (time >= start) & (time < start + length)
        local = time[inside] - start
        low, high = random.uniform(300, 900), random.uniform(1000, 2800)
        sweep = random.uniform(-600, 600)
        shape = numpy.sin(numpy.pi * local / length) ** 2
        samples[inside] += 0.3 * shape * (
            numpy.sin(2 * numpy.pi * (low * local + sweep * local**2 / 2)) + 0.6 * numpy.sin(2 * numpy.pi * (high - sweep * local) * local))
        start += length + random.uniform(0.02, 0.12)
    write_wave(path, samples, rate)


def resample(samples: numpy.ndarray, rate: int, target: int) -> numpy.ndarray:
    if rate == target:
        return samples
    positions = numpy.arange(int(len(samples) * target / rate)) * rate / target
    return numpy.interp(positions, numpy.arange(len(samples)), samples)


def similarity(played: numpy.ndarray, heard: numpy.ndarray, rate: int, window: float = 1.0) -> float:
    """The median over one-second windows of what was heard of the best correlation with what was played (looped).

    Windows, because a jitter buffer stretches time; the median, because a burst may be lost.
    """
    reference = numpy.concatenate([played, played[: int(rate * (window + 0.5))]])
    size = int(window * rate)
    scores = []
    for start in range(0, len(heard) - size, size // 2):
        part = heard[start : start + size] - heard[start : start + size].mean()
        energy = numpy.sqrt((part**2).sum())
        if energy < 0.01 * numpy.sqrt(size):
            continue
        length = 1 << (len(reference) + size - 1).bit_length()
        products = numpy.fft.irfft(numpy.fft.rfft(reference, length) * numpy.conj(numpy.fft.rfft(part, length)), length)
        products = products[: len(reference) - size + 1]
        sums = numpy.concatenate([[0], numpy.cumsum(reference**2)])
        norms = numpy.sqrt(numpy.maximum(sums[size:] - sums[:-size], 1e-9))
        scores.append(float(numpy.max(products / norms[: len(products)]) / energy))
    return float(numpy.median(scores)) if scores else 0.0
