/** @typedef {import('./peer.js').Peer} Peer */
/** @typedef {import('./peer.js').Kind} Kind */
/** @typedef {import('./devices.js').Devices} Devices */
/** @typedef {import('./devices.js').DeviceProblem} DeviceProblem */

/** What we send in one call: microphone and camera, opened, muted, switched off, and why they are not there. Fires `change`. */
export class OwnMedia extends EventTarget {
  isMuted = false;
  isCameraOn = false;
  /** @type {{ audio?: DeviceProblem, video?: DeviceProblem }} why we are not heard or seen */
  problems = {};
  #devices;
  #peer;
  /** @type {Partial<Record<Kind, MediaStreamTrack>>} */
  #tracks = {};
  #isClosed = false;
  /** One change of the camera after the other, however fast the button is pressed. */
  #camera = Promise.resolve();

  /** @param {Devices} devices @param {Peer} peer */
  constructor(devices, peer) {
    super();
    this.#devices = devices;
    this.#peer = peer;
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
    this.#isClosed = true;
    this.#stop('audio');
    this.#stop('video');
  }

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
    if (kind === 'audio') track.enabled = !this.isMuted;
    await this.#peer.setTrack(kind, track);
  }

  /** @param {Kind} kind */
  #stop(kind) {
    this.#tracks[kind]?.stop();
    delete this.#tracks[kind];
  }

  #changed() { this.dispatchEvent(new Event('change')); }
}
