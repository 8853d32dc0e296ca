/** @typedef {import('./peer.js').Peer} Peer */
/** @typedef {import('./peer.js').Kind} Kind */
/** @typedef {import('./devices.js').Devices} Devices */
/** @typedef {import('./devices.js').DeviceProblem} DeviceProblem */

/** How long the page says that a device was replaced, in milliseconds. */
const NEWS = 8_000;

/** What we send in one call: microphone and camera, opened, muted, switched off, lost, and why they are not there. Fires `change`. */
export class OwnMedia extends EventTarget {
  isMuted = false;
  isCameraOn = false;
  /** @type {{ audio?: DeviceProblem, video?: DeviceProblem }} why we are not heard or seen */
  problems = {};
  /** @type {{ audio?: boolean, video?: boolean }} which device went away and was replaced by another, for a while */
  replaced = {};
  #devices;
  #peer;
  /** @type {Partial<Record<Kind, MediaStreamTrack>>} */
  #tracks = {};
  #over = new AbortController();
  /** One change of the camera after the other, however fast the button is pressed. */
  #camera = Promise.resolve();
  /** One search for another device after the other, however often the browser says that devices came or went. */
  #search = Promise.resolve();

  /** @param {Devices} devices @param {Peer} peer */
  constructor(devices, peer) {
    super();
    this.#devices = devices;
    this.#peer = peer;
    devices.watch(() => { if (this.problems.audio === 'gone') this.#replace('audio'); }, this.#over.signal);
  }

  get cameraTrack() { return this.#tracks.video; }

  /** @param {boolean} video whether `open(video)` will ask the person nothing */
  granted(video) { return this.#devices.granted({ audio: true, video }); }

  /** @param {boolean} video at the start of a call: the microphone, and the camera if wanted */
  async open(video) {
    this.isCameraOn = video;
    this.#peer.send('video', video);
    const { audio, video: picture, problems } = await this.#devices.open({ audio: true, video });
    this.problems = problems;
    if (problems.audio) this.#peer.send('audio', false);
    if (problems.video && this.isCameraOn) this.#giveCameraUp();
    await this.#use('audio', audio);
    await this.#use('video', picture);
    this.#changed();
  }

  /** @param {boolean} isMuted false without a microphone tries to get one: the person may have allowed it meanwhile */
  async setMuted(isMuted) {
    if (!isMuted && this.problems.audio) await this.#openMore('audio');
    if (this.problems.audio) return;
    this.isMuted = isMuted;
    if (this.#tracks.audio) this.#tracks.audio.enabled = !isMuted;
    this.#changed();
  }

  /** @param {boolean} isOn the button says so at once, the camera follows */
  setCamera(isOn) {
    if (this.#isClosed || isOn === this.isCameraOn) return this.#camera;
    this.isCameraOn = isOn;
    this.#changed();
    this.#camera = this.#camera.then(async () => {
      if (this.#isClosed || isOn !== this.isCameraOn || isOn === !!this.#tracks.video) return;
      if (isOn) return this.#openMore('video');
      this.#stop('video');
      this.#peer.send('video', false);
      await this.#peer.setTrack('video', null);
      this.#changed();
    });
    return this.#camera;
  }

  close() {
    this.#over.abort();
    this.#stop('audio');
    this.#stop('video');
  }

  get #isClosed() { return this.#over.signal.aborted; }

  /** @param {Kind} kind opened in the middle of a call */
  async #openMore(kind) {
    const opened = await this.#devices.open({ audio: kind === 'audio', video: kind === 'video' });
    this.problems = { ...this.problems, [kind]: opened.problems[kind] };
    if (opened.problems.video) this.#giveCameraUp();
    await this.#use(kind, opened[kind]);
    if (this.#tracks[kind]) this.#peer.send(kind, true);
    this.#changed();
  }

  #giveCameraUp() {
    this.isCameraOn = false;
    this.#peer.send('video', false);
  }

  /** @param {Kind} kind @param {MediaStreamTrack} [track] */
  async #use(kind, track) {
    // The call ended, or the camera was switched off, while the device was opening.
    if (!track || this.#isClosed || (kind === 'video' && !this.isCameraOn)) return track?.stop();
    this.#stop(kind);
    this.#tracks[kind] = track;
    track.addEventListener('ended', () => this.#lost(kind, track), { signal: this.#over.signal });
    if (kind === 'audio') track.enabled = !this.isMuted;
    await this.#peer.setTrack(kind, track);
  }

  /** @param {Kind} kind @param {MediaStreamTrack} track unplugged, or its permission taken back: the call goes on */
  async #lost(kind, track) {
    if (this.#tracks[kind] !== track) return;
    this.#stop(kind);
    await this.#replace(kind);
    if (!this.#tracks[kind] && !this.#isClosed) await this.#peer.setTrack(kind, null);
  }

  /** @param {Kind} kind by whatever the browser takes for the default now: of the same kind, so that nothing is negotiated */
  #replace(kind) {
    this.#search = this.#search.then(async () => {
      if (this.#isClosed || this.#tracks[kind] || (kind === 'video' && !this.isCameraOn)) return;
      await this.#openMore(kind);
      // A refusal is an answer; anything else may be mended by the next device that is plugged in.
      if (this.problems[kind] && this.problems[kind] !== 'refused') this.problems = { ...this.problems, [kind]: 'gone' };
      this.#tellReplaced(kind, !!this.#tracks[kind]);
      setTimeout(() => this.#tellReplaced(kind, false), NEWS);
    });
    return this.#search;
  }

  /** @param {Kind} kind @param {boolean} isReplaced */
  #tellReplaced(kind, isReplaced) {
    this.replaced = { ...this.replaced, [kind]: isReplaced };
    this.#changed();
  }

  /** @param {Kind} kind */
  #stop(kind) {
    this.#tracks[kind]?.stop();
    delete this.#tracks[kind];
  }

  #changed() { this.dispatchEvent(new Event('change')); }
}
