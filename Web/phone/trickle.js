/** ICE candidates on their way through SIP: the body `application/trickle-ice-sdpfrag` (RFC 8840 §9). */

/** @typedef {{ candidate: string, sdpMid: string, usernameFragment?: string }} Candidate  As RTCIceCandidateInit has it; '' is the end. */

/** One ICE generation's local candidates. Each fragment repeats all before it, the new ones last (RFC 8840 §4.4). */
export class CandidateList {
  #mids = /** @type {Map<string, { kind: string, lines: string[] }>} */ (new Map());
  #credentials = { ufrag: '', pwd: '' };

  /** @param {string} sdp the local description; starts over when it has other credentials */
  begin(sdp) {
    const ufrag = attribute(sdp, 'ice-ufrag'), pwd = attribute(sdp, 'ice-pwd');
    if (ufrag === this.#credentials.ufrag && pwd === this.#credentials.pwd) return;
    this.#credentials = { ufrag, pwd };
    this.#mids = new Map(mediaOf(sdp).map(({ kind, mid }) => [mid, { kind, lines: [] }]));
  }

  /** @param {{ candidate: string, sdpMid: string | null, usernameFragment?: string | null }} candidate @returns {boolean} whether it is news */
  add({ candidate, sdpMid, usernameFragment }) {
    if (usernameFragment && usernameFragment !== this.#credentials.ufrag) return false;
    const lines = this.#mids.get(sdpMid ?? '')?.lines;
    const line = `a=${candidate || 'end-of-candidates'}`;
    if (!lines || lines.includes(line)) return false;
    lines.push(line);
    return true;
  }

  /** The fragment to send, or '' when there is no candidate. */
  get fragment() {
    const media = [...this.#mids].filter(([, { lines }]) => lines.length)
      .flatMap(([mid, { kind, lines }]) => [`m=${kind} 9 RTP/AVP 0`, `a=mid:${mid}`, ...lines]);
    if (!media.length) return '';
    return [`a=ice-ufrag:${this.#credentials.ufrag}`, `a=ice-pwd:${this.#credentials.pwd}`, ...media, ''].join('\r\n');
  }
}

/**
 * The candidates of a fragment from a peer, which may be anything.
 *
 * @param {string} fragment
 * @returns {Candidate[]}
 */
export function parseFragment(fragment) {
  const candidates = [];
  let usernameFragment = attribute(fragment, 'ice-ufrag') || undefined;
  let sdpMid;
  for (const line of fragment.split(/\r?\n/)) {
    if (line.startsWith('m=')) sdpMid = undefined;
    else if (line.startsWith('a=ice-ufrag:')) usernameFragment = line.slice(12);
    else if (line.startsWith('a=mid:')) sdpMid = line.slice(6).trim();
    else if (sdpMid === undefined) continue;
    else if (line.startsWith('a=candidate:')) candidates.push({ candidate: line.slice(2), sdpMid, usernameFragment });
    else if (line === 'a=end-of-candidates') candidates.push({ candidate: '', sdpMid, usernameFragment });
  }
  return candidates;
}

/** @param {string} sdp @param {string} name */
function attribute(sdp, name) { return new RegExp(`^a=${name}:(.*?)\\r?$`, 'm').exec(sdp)?.[1] ?? ''; }

/** @param {string} sdp */
function mediaOf(sdp) {
  return sdp.split(/^m=/m).slice(1).map((section) => ({ kind: section.split(' ')[0], mid: attribute(section, 'mid') }));
}
