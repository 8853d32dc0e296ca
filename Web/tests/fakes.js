/** Stand-ins for what only a browser has, as far as the call logic looks at it. */

export class FakeTrack extends EventTarget {
  enabled = true;
  stopped = false;
  /** @param {'audio' | 'video'} kind */
  constructor(kind) {
    super();
    this.kind = kind;
  }
  stop() { this.stopped = true; }
  unplug() { this.dispatchEvent(new Event('ended')); }
}

export class FakeStream {
  #tracks = /** @type {Set<FakeTrack>} */ (new Set());
  /** @param {FakeTrack} track */
  addTrack(track) { this.#tracks.add(track); }
  /** @param {FakeTrack} track */
  removeTrack(track) { this.#tracks.delete(track); }
  getTracks() { return [...this.#tracks]; }
}

/** A peer whose descriptions are plain words: `offer 1`, `answer 2`. */
export class FakePeer extends EventTarget {
  remote = new FakeStream();
  connection = {
    signalingState: 'stable', remoteDescription: /** @type {{ sdp: string } | undefined} */ (undefined),
    setRemoteDescription: async (/** @type {{ type: string }} */ { type }) => {
      this.log.push(type);
      this.connection.signalingState = 'stable';
    },
  };
  path = 'new';
  announcesVideo = false;
  isHeld = false;
  sent = { audio: true, video: false };
  agreed = { audio: false, video: false };
  /** @type {string[]} */
  log = [];
  /** @type {Record<string, FakeTrack | null>} */
  tracks = {};
  #count = 0;

  /** @param {'audio' | 'video'} kind */
  receives(kind) { return this.agreed[kind]; }
  /** @param {'audio' | 'video'} kind */
  sends(kind) { return this.agreed[kind]; }
  /** @param {'audio' | 'video'} kind @param {boolean} sends */
  send(kind, sends) {
    const changed = this.sent[kind] !== sends;
    this.sent[kind] = sends;
    if (changed && this.connection.remoteDescription && this.connection.signalingState === 'stable') this.need();
  }
  need() { this.dispatchEvent(new Event('negotiationneeded')); }
  /** @param {string} kind @param {FakeTrack | null} track */
  async setTrack(kind, track) { this.tracks[kind] = track; }
  async offer() {
    this.connection.signalingState = 'have-local-offer';
    this.log.push('offer');
    return `offer ${++this.#count}`;
  }
  /** @param {string} sdp */
  async takeOffer(sdp) {
    if (sdp === 'nonsense') throw new Error('not a description');
    this.connection.signalingState = 'have-remote-offer';
    this.connection.remoteDescription = { sdp };
    this.log.push(`take ${sdp}`);
  }
  async answer() {
    this.connection.signalingState = 'stable';
    this.log.push('answer');
    return `answer ${++this.#count}`;
  }
  /** @param {string} sdp @param {string} [type] */
  async takeAnswer(sdp, type = 'answer') {
    if (sdp === 'nonsense') throw new Error('not a description');
    if (type === 'answer') this.connection.signalingState = 'stable';
    this.connection.remoteDescription = { sdp };
    this.log.push(`take ${type} ${sdp}`);
  }
  async rollback() {
    this.connection.signalingState = 'stable';
    this.log.push('rollback');
  }
  restart() { this.log.push('restart'); this.need(); }
  /** @param {string} fragment */
  async addCandidates(fragment) { this.log.push(`candidates ${fragment}`); }
  close() { this.log.push('close'); }
}

/** Devices that are there and open at once, unless told otherwise. */
export class FakeDevices {
  /** @type {Record<string, string | undefined>} */
  problems = {};
  isGranted = true;
  /** @type {FakeTrack[]} */
  opened = [];
  /** @type {Promise<void>} what opening waits for */
  gate = Promise.resolve();
  #changes = new EventTarget();

  /** @param {() => void} react @param {AbortSignal} signal */
  watch(react, signal) { this.#changes.addEventListener('devicechange', react, { signal }); }
  change() { this.#changes.dispatchEvent(new Event('devicechange')); }

  /** @param {{ audio: boolean, video: boolean }} wanted */
  async open(wanted) {
    await this.gate;
    const open = (/** @type {'audio' | 'video'} */ kind) => {
      if (!wanted[kind] || this.problems[kind]) return undefined;
      const track = new FakeTrack(kind);
      this.opened.push(track);
      return track;
    };
    return {
      audio: open('audio'), video: open('video'),
      problems: { ...wanted.audio && { audio: this.problems.audio }, ...wanted.video && { video: this.problems.video } },
    };
  }
  async granted() { return this.isGranted; }
}

/** Keeps the commands as words; `refuse` names those it does not accept. */
export class FakeAgent extends EventTarget {
  /** @type {string[]} */
  commands = [];
  /** @type {Set<string>} */
  refuse = new Set();
  /** @param {string} name @param {Record<string, unknown>} fields */
  #take(name, fields) {
    this.commands.push([name, ...Object.values(fields)].join(' '));
    return this.refuse.has(name) ? 'wrongState' : null;
  }
  call = (/** @type {any} */ fields) => this.#take('call', fields);
  answer = (/** @type {any} */ fields) => this.#take('answer', fields);
  reject = (/** @type {any} */ fields) => this.#take('reject', fields);
  hangUp = (/** @type {any} */ fields) => this.#take('hangUp', fields);
  offer = (/** @type {any} */ fields) => this.#take('offer', fields);
  answerOffer = (/** @type {any} */ fields) => this.#take('answerOffer', fields);
  rejectOffer = (/** @type {any} */ fields) => this.#take('rejectOffer', fields);
  candidates = (/** @type {any} */ fields) => this.#take('candidates', fields);
  unregister = () => this.#take('unregister', {});
  connected = () => this.#take('connected', {});
  disconnected = () => this.#take('disconnected', {});
  stop = () => this.#take('stop', {});
  /** @param {Uint8Array} bytes */
  received(bytes) { this.#take('received', { bytes }); }
  /** @param {string} name @param {unknown} [detail] */
  tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}

/** Lets everything that is ready happen. */
export async function settle() { for (let turn = 0; turn < 50; turn += 1) await Promise.resolve(); }
