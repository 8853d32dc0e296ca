/** The sounds of a telephone, made by WebAudio: no files to load. A person's browser lets them sound after the first press. */

/** @typedef {'ring' | 'ringback'} Tone */

/** One cycle of each tone: which frequencies (Hz) sound together from when to when (seconds), how loud, and how long a cycle is. */
const TONES = {
  /** A warm chime of three notes, twice. */
  ring: {
    cycle: 3, loudness: 0.25,
    notes: [0, 0.75].flatMap((start) => [[523.25, 0], [659.25, 0.14], [783.99, 0.28]]
      .map(([frequency, delay]) => ({ frequency, from: start + delay, to: start + delay + 0.45 }))),
  },
  /** One second in five, as telephones in Europe have it (ETSI TS 102 174). */
  ringback: { cycle: 5, loudness: 0.08, notes: [{ frequency: 425, from: 0, to: 1 }] },
};
/** How long a note takes to swell and to fade, in seconds, so that it does not click. */
const ATTACK = 0.01, FADE = 0.12;
/** The same for a tone that ends because somebody answered. */
const RELEASE = 0.02;

/**
 * One cycle as samples from -1 to 1.
 *
 * @param {Tone} tone
 * @param {number} rate samples a second
 */
export function render(tone, rate) {
  const { cycle, loudness, notes } = TONES[tone];
  const samples = new Float32Array(Math.round(cycle * rate));
  for (const { frequency, from, to } of notes) {
    for (let index = Math.round(from * rate); index < Math.round(to * rate); index += 1) {
      const time = index / rate;
      const envelope = Math.min(1, (time - from) / ATTACK, (to - time) / FADE);
      samples[index] += loudness * envelope * Math.sin(2 * Math.PI * frequency * (time - from));
    }
  }
  return samples;
}

/** Plays one tone at a time. */
export class Tones {
  #AudioContext;
  /** @type {AudioContext | undefined} */
  #context;
  /** @type {{ source: AudioBufferSourceNode, volume: GainNode } | undefined} */
  #playing;
  /** @type {Tone | undefined} */
  #tone;

  /** @param {typeof globalThis.AudioContext} [AudioContextClass] */
  constructor(AudioContextClass = globalThis.AudioContext) { this.#AudioContext = AudioContextClass; }

  /** Call it when the person presses something: only then may a page make itself heard. */
  unlock() {
    this.#context ??= new this.#AudioContext();
    if (this.#context.state === 'suspended') this.#context.resume().catch(() => {});
  }

  /** @param {Tone | undefined} tone undefined: silence */
  play(tone) {
    if (tone === this.#tone) return;
    this.#tone = tone;
    this.#fade();
    if (!tone) return;
    // Without a press so far the browser keeps the context suspended; the tone begins with the first press.
    this.unlock();
    const context = /** @type {AudioContext} */ (this.#context);
    const samples = render(tone, context.sampleRate);
    const buffer = context.createBuffer(1, samples.length, context.sampleRate);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(context, { buffer, loop: true }), volume = new GainNode(context);
    source.connect(volume).connect(context.destination);
    source.start();
    this.#playing = { source, volume };
  }

  /** A tone that was cut off in the middle of a wave would click. */
  #fade() {
    if (!this.#playing) return;
    const { source, volume } = this.#playing;
    this.#playing = undefined;
    const now = source.context.currentTime;
    volume.gain.setValueAtTime(1, now);
    volume.gain.linearRampToValueAtTime(0, now + RELEASE);
    source.stop(now + RELEASE);
    source.onended = () => volume.disconnect();
  }
}
