/** Camera and microphone, and in plain facts why one cannot be had. */

/** @typedef {'refused' | 'missing' | 'inUse' | 'insecure' | 'gone'} DeviceProblem  `gone`: unplugged in mid-call. */
/** @typedef {{ audio?: MediaStreamTrack, video?: MediaStreamTrack, problems: { audio?: DeviceProblem, video?: DeviceProblem } }} Opened */
/** @typedef {{ audio: boolean, video: boolean }} Kinds */

/** The echo of the other's voice, the room's noise and uneven loudness are the browser's to take away. */
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, facingMode: 'user' };

export class Devices {
  #media;
  #permissions;

  /** @param {{ mediaDevices?: Pick<MediaDevices, 'getUserMedia' | 'addEventListener'>, permissions?: Pick<Permissions, 'query'> }} [browser] */
  constructor(browser = globalThis.navigator) {
    this.#media = browser.mediaDevices;
    this.#permissions = browser.permissions;
  }

  /** @param {() => void} react a device was plugged in or unplugged @param {AbortSignal} signal ends the watch */
  watch(react, signal) { this.#media?.addEventListener('devicechange', react, { signal }); }

  /**
   * Opens what can be opened. Asks once for both, so that a person sees one question; where that fails, for each alone.
   *
   * @param {Kinds} wanted
   * @returns {Promise<Opened>}
   */
  async open(wanted) {
    const whole = await this.#try(wanted);
    if (!wanted.audio || !wanted.video || (whole.audio && whole.video)) return whole;
    // A refusal of both is an answer: to ask again would be to nag. It may also mean that only one of them is forbidden.
    const audio = await this.#try({ audio: true, video: false });
    const video = audio.audio ? await this.#try({ audio: false, video: true }) : { problems: whole.problems };
    return { ...audio, ...video, problems: { audio: audio.problems.audio, video: video.problems.video } };
  }

  /**
   * Whether devices open without a question. Then a call need not wait for them.
   *
   * @param {Kinds} wanted
   */
  async granted(wanted) {
    const kinds = [...wanted.audio ? ['microphone'] : [], ...wanted.video ? ['camera'] : []];
    try {
      const answers = await Promise.all(kinds.map((kind) =>
        this.#permissions?.query({ name: /** @type {PermissionName} */ (kind) })));
      return answers.every((answer) => answer?.state === 'granted');
    } catch {
      return false;
    }
  }

  /** @param {Kinds} wanted @returns {Promise<Opened>} */
  async #try({ audio, video }) {
    const failed = (/** @type {DeviceProblem} */ problem) =>
      ({ problems: { ...audio && { audio: problem }, ...video && { video: problem } } });
    if (!this.#media) return failed('insecure');
    try {
      const stream = await this.#media.getUserMedia({ audio: audio && AUDIO, video: video && VIDEO });
      return { audio: stream.getAudioTracks()[0], video: stream.getVideoTracks()[0], problems: {} };
    } catch (error) {
      return failed(problemOf(/** @type {{ name?: string }} */ (error).name));
    }
  }
}

/** @param {string} [name] of the DOMException @returns {DeviceProblem} */
function problemOf(name) {
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'refused';
  return name === 'NotFoundError' || name === 'OverconstrainedError' ? 'missing' : 'inUse';
}
