/**
 * The frames between the page and the phone in WebAssembly: the page's copy of the tables in
 * Sources/BrowserPhone/CommandFrames.swift and EventFrames.swift. Tests hold the two together.
 *
 * A frame is one byte of kind, then the fields in their order: numbers as four bytes, least significant first; texts and
 * bytes as such a number, then that many bytes; flags as one byte; optional fields as a flag, then the field if it is 1.
 *
 * @typedef {'number' | 'flag' | 'text' | 'bytes' | 'key' | 'number?' | 'text?' | readonly string[]} FieldType
 *   A list of names stands for the number of the name's place in it; a key is one character.
 * @typedef {{ readonly kind: number, readonly fields: Readonly<Record<string, FieldType>> }} FrameKind
 * @typedef {Record<string, string | number | boolean | Uint8Array | null | undefined>} Fields
 */

/** @param {number} kind @param {Record<string, FieldType>} [fields] @returns {FrameKind} */
const frame = (kind, fields = {}) => ({ kind, fields });

export const TRANSPORTS = /** @type {const} */ (['udp', 'tcp', 'tls', 'ws', 'wss']);
export const TRICKLE = /** @type {const} */ (['off', 'half', 'full']);
export const CAUSES = /** @type {const} */ ([
  'hungUp', 'remoteHungUp', 'declined', 'busy', 'noAnswer', 'cancelled', 'answeredElsewhere', 'notFound',
  'notAcceptable', 'unreachable', 'networkLost', 'failed', 'replaced',
]);
export const SUBSCRIPTION_STATES = /** @type {const} */ (['active', 'pending', 'terminated']);
export const LOG_LEVELS = /** @type {const} */ (['debug', 'info', 'warning', 'error']);

/** What `start` takes. */
export const CONFIGURATION = frame(1, {
  aor: 'text', displayName: 'text', authUser: 'text', password: 'text?', instanceID: 'text', transport: TRANSPORTS,
  sentBy: 'text', contactHost: 'text', contactUser: 'text', registrar: 'text', outboundProxy: 'text', expires: 'number',
  sessionExpires: 'number', userAgentHeader: 'text', trickle: TRICKLE,
});

export const COMMANDS = /** @satisfies {Record<string, FrameKind>} */ ({
  register: frame(1),
  unregister: frame(2),
  call: frame(3, { call: 'number', to: 'text', offer: 'text', replaces: 'number?' }),
  answer: frame(4, { call: 'number', sdp: 'text' }),
  reject: frame(5, { call: 'number', status: 'number' }),
  hangUp: frame(6, { call: 'number' }),
  offer: frame(7, { call: 'number', sdp: 'text' }),
  answerOffer: frame(8, { call: 'number', sdp: 'text' }),
  rejectOffer: frame(9, { call: 'number', status: 'number' }),
  candidates: frame(10, { call: 'number', fragment: 'text' }),
  transfer: frame(11, { call: 'number', to: 'text' }),
  transferTo: frame(12, { call: 'number', other: 'number' }),
  acceptTransfer: frame(13, { call: 'number', new: 'number', offer: 'text' }),
  rejectTransfer: frame(14, { call: 'number', status: 'number' }),
  dtmf: frame(15, { call: 'number', signal: 'key', milliseconds: 'number' }),
  info: frame(16, { call: 'number', contentType: 'text', body: 'bytes' }),
  message: frame(17, { id: 'number', to: 'text', contentType: 'text', body: 'bytes' }),
  callMessage: frame(18, { id: 'number', call: 'number', contentType: 'text', body: 'bytes' }),
  subscribe: frame(19, { id: 'number', to: 'text', event: 'text', accept: 'text', expires: 'number' }),
  unsubscribe: frame(20, { id: 'number' }),
  publish: frame(21, { id: 'number', event: 'text', contentType: 'text', body: 'bytes', expires: 'number' }),
  options: frame(22, { id: 'number', to: 'text' }),
});

/** What comes back. `send` is a message for the server. */
export const OUTPUTS = /** @satisfies {Record<string, FrameKind>} */ ({
  send: frame(1, { message: 'bytes' }),
  registered: frame(2, { expires: 'number' }),
  registrationFailed: frame(3, { status: 'number', reason: 'text', retryAfter: 'number' }),
  unregistered: frame(4),
  incoming: frame(5, { call: 'number', fromName: 'text', fromURI: 'text', sdp: 'text', replaces: 'number?' }),
  progress: frame(6, { call: 'number', status: 'number', reason: 'text', sdp: 'text' }),
  answered: frame(7, { call: 'number', sdp: 'text' }),
  offered: frame(8, { call: 'number', sdp: 'text' }),
  offerAnswered: frame(9, { call: 'number', sdp: 'text' }),
  offerFailed: frame(10, { call: 'number', status: 'number', reason: 'text' }),
  candidates: frame(11, { call: 'number', fragment: 'text' }),
  ended: frame(12, { call: 'number', cause: CAUSES, status: 'number', reason: 'text' }),
  transferRequested: frame(13, { call: 'number', to: 'text' }),
  transferProgress: frame(14, { call: 'number', status: 'number' }),
  dtmf: frame(15, { call: 'number', signal: 'key', milliseconds: 'number' }),
  info: frame(16, { call: 'number', contentType: 'text', body: 'bytes' }),
  message: frame(17, { fromURI: 'text', contentType: 'text', body: 'bytes', sipCallID: 'text', call: 'number?' }),
  messageResult: frame(18, { id: 'number', status: 'number', reason: 'text' }),
  notified: frame(19, { id: 'number', state: SUBSCRIPTION_STATES, contentType: 'text', body: 'bytes' }),
  subscriptionEnded: frame(20, { id: 'number', status: 'number', reason: 'text' }),
  published: frame(21, { id: 'number', expires: 'number' }),
  publishFailed: frame(22, { id: 'number', status: 'number', reason: 'text' }),
  optionsResult: frame(23, { id: 'number', status: 'number', reason: 'text' }),
  log: frame(24, { level: LOG_LEVELS, text: 'text' }),
});

/** Why a command is refused, by the number the phone gives: `CommandError`, then `FrameError`. */
const REFUSALS = new Map([
  [1, 'unknownCall'], [2, 'wrongState'], [3, 'badURI'], [4, 'badID'], [5, 'tooMany'], [6, 'tooLarge'], [7, 'badValue'],
  [8, 'notConnected'], [100, 'unknownKind'], [101, 'truncated'], [102, 'trailingBytes'], [103, 'badField'],
  [104, 'notStarted'],
]);

/** @param {number} number @returns {string | null} null: accepted */
export function refusal(number) {
  return number === 0 ? null : REFUSALS.get(number) ?? 'unknown';
}

/**
 * Writes a frame. What is missing is written as an empty text, zero or nothing.
 *
 * @param {FrameKind} frameKind
 * @param {Fields} values
 * @returns {Uint8Array}
 */
export function encode({ kind, fields }, values) {
  /** @type {Uint8Array[]} */
  const parts = [Uint8Array.of(kind)];
  for (const [name, type] of Object.entries(fields)) write(parts, type, values[name]);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** @param {Uint8Array[]} parts @param {FieldType} type @param {Fields[string]} value */
function write(parts, type, value) {
  if (type === 'number?' || type === 'text?') {
    const there = value !== undefined && value !== null;
    parts.push(Uint8Array.of(there ? 1 : 0));
    if (there) write(parts, type === 'number?' ? 'number' : 'text', value);
  } else if (type === 'flag') {
    parts.push(Uint8Array.of(value ? 1 : 0));
  } else if (type === 'text' || type === 'bytes') {
    const bytes = value instanceof Uint8Array ? value : new TextEncoder().encode(String(value ?? ''));
    parts.push(word(bytes.length), bytes);
  } else if (type === 'key') {
    parts.push(word(String(value ?? '').charCodeAt(0)));
  } else {
    // A name that is not in the list becomes a number that the phone refuses.
    parts.push(word(typeof type === 'string' ? Number(value ?? 0) : type.indexOf(String(value))));
  }
}

/** @param {number} number @returns {Uint8Array} */
function word(number) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number, true);
  return bytes;
}

const OUTPUT_NAMES = new Map(Object.entries(OUTPUTS).map(([name, { kind }]) => [kind, name]));

/**
 * Reads an output of the phone.
 *
 * @param {Uint8Array} bytes
 * @returns {{ name: string, detail: any }}
 */
export function decodeOutput(bytes) {
  const name = OUTPUT_NAMES.get(bytes[0]);
  if (name === undefined) throw new RangeError(`no output has the kind ${bytes[0]}`);
  return { name, detail: decode(OUTPUTS[/** @type {keyof typeof OUTPUTS} */ (name)], bytes) };
}

/**
 * Reads the fields of a frame; one that does not fit its kind throws a RangeError.
 *
 * @param {FrameKind} frameKind
 * @param {Uint8Array} bytes
 * @returns {Fields}
 */
export function decode({ fields }, bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 1;
  const number = () => view.getUint32((at += 4) - 4, true);
  const data = () => {
    const count = number();
    if (count > bytes.length - at) throw new RangeError('a field ends beyond its frame');
    return bytes.slice(at, (at += count));
  };
  const text = () => new TextDecoder().decode(data());
  const flag = () => view.getUint8(at++) === 1;
  /** @param {FieldType} type */
  const read = (type) => {
    switch (type) {
      case 'number': return number();
      case 'flag': return flag();
      case 'text': return text();
      case 'bytes': return data();
      case 'key': return String.fromCharCode(number());
      case 'number?': return flag() ? number() : null;
      case 'text?': return flag() ? text() : null;
      default: return type[number()] ?? type[type.length - 1];
    }
  };
  const values = Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, read(type)]));
  if (at !== bytes.length) throw new RangeError('bytes are left over after the last field');
  return values;
}
