/** The server's HTTP interface (docs/protocol.md). One method per request; answers are the JSON described there. */

/** @typedef {import('../keys/identity.js').Wrapped} Wrapped */
/** @typedef {{ userName: string, fullName: string, role: 'owner' | 'member', address: string, domain: string,
 *   keys: { signingPublic: string, agreementPublic: string, wrapped: Wrapped },
 *   sip: { url: string, trickle: 'full' | 'half' | 'off', iceServers?: RTCIceServer[] }, version: string }} Me */
/** @typedef {{ userName: string, fullName: string, role: 'owner' | 'member', address: string, signingPublic: string,
 *   agreementPublic: string, fingerprint: string, reachable: boolean }} JoinedPerson */
/** Somebody with telephones alone has no keys yet. */
/** @typedef {JoinedPerson | (Omit<JoinedPerson, 'signingPublic' | 'agreementPublic' | 'fingerprint'> & { signingPublic?: undefined })} Person */
/** @typedef {{ userName?: string, fullName?: string, inviter?: string, inviterUserName?: string,
 *   purpose: 'owner' | 'member' | 'reset' }} Invitation */
/** @typedef {{ salt: string, iv: string, data: string }} RecoveryBox */
/** @typedef {{ salt: string, iterations?: number }} Salt */
/** @typedef {{ id: string, label: string, created?: string }} NativePhone */
/** @typedef {NativePhone & { server: string, domain: string, user: string, password: string,
 *   transports: { transport: string, port: number }[] }} NewPhone */

/** A refusal by the server, or no server at all (`status` 0, code `offline`). `message` is in words for a person. */
export class RefusedError extends Error {
  /** @param {number} status @param {string} code @param {string} message @param {number} [retryAfter] seconds */
  constructor(status, code, message, retryAfter) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

export class API extends EventTarget {
  #fetch;

  /** @param {typeof globalThis.fetch} [fetch] */
  constructor(fetch = globalThis.fetch.bind(globalThis)) {
    super();
    this.#fetch = fetch;
  }

  /** @param {string} token @returns {Promise<Invitation>} */
  invitation(token) { return this.#ask('GET', `/api/join/${encodeURIComponent(token)}`); }
  /** @param {string} token @param {object} account @returns {Promise<Me>} */
  join(token, account) { return this.#ask('POST', `/api/join/${encodeURIComponent(token)}`, account); }
  /** @param {string} user @returns {Promise<Salt>} */
  salt(user) { return this.#ask('GET', `/api/salt?user=${encodeURIComponent(user)}`); }
  /** @param {{ userName: string, auth: string }} proof @returns {Promise<Me>} */
  signIn(proof) { return this.#ask('POST', '/api/session', proof); }
  /** @returns {Promise<void>} */
  signOut() { return this.#ask('DELETE', '/api/session'); }
  /** @returns {Promise<Me>} */
  me() { return this.#ask('GET', '/api/me'); }
  /** @returns {Promise<Person[]>} */
  people() { return this.#ask('GET', '/api/people'); }
  /** @param {{ userName: string, fullName?: string }} person @returns {Promise<{ url: string, userName: string, expires: string }>} */
  invite(person) { return this.#ask('POST', '/api/invitations', person); }
  /** @param {string} user @returns {Promise<Salt>} */
  recoverySalt(user) { return this.#ask('GET', `/api/recovery/salt?user=${encodeURIComponent(user)}`); }
  /** @param {{ userName: string, recoveryAuth: string }} proof @returns {Promise<{ recovery: RecoveryBox }>} */
  openRecovery(proof) { return this.#ask('POST', '/api/recovery/open', proof); }
  /** @param {object} account @returns {Promise<Me>} */
  completeRecovery(account) { return this.#ask('POST', '/api/recovery/complete', account); }
  /** @param {string} [of] a user name; without one, one's own @returns {Promise<NativePhone[]>} */
  phones(of) { return this.#ask('GET', phonesPath(of)); }
  /** @param {string} label @param {string} [of] @returns {Promise<NewPhone>} */
  addPhone(label, of) { return this.#ask('POST', phonesPath(of), { label }); }
  /** @param {string} id @param {string} [of] @returns {Promise<void>} */
  removePhone(id, of) { return this.#ask('DELETE', `${phonesPath(of)}/${encodeURIComponent(id)}`); }

  /**
   * Sends one request. An expired session is told to listeners of `signedout`, whoever asked.
   *
   * @param {string} method @param {string} path @param {object} [body]
   */
  async #ask(method, path, body) {
    /** @type {Record<string, string>} */
    const headers = { Accept: 'application/json' };
    if (method !== 'GET') Object.assign(headers, { 'Content-Type': 'application/json', 'X-Hearth': '1' });
    const response = await this.#fetch(path, {
      method, headers, body: body && JSON.stringify(body), credentials: 'same-origin', cache: 'no-store',
    }).catch(() => { throw new RefusedError(0, 'offline', ''); });
    if (response.ok) return response.status === 204 ? undefined : response.json();
    const { error } = await response.json().catch(() => ({ error: undefined }));
    const refused = new RefusedError(response.status, error?.code ?? 'failed', error?.message ?? '',
      Number(response.headers.get('Retry-After') ?? 0) || undefined);
    if (refused.code === 'not-signed-in') this.dispatchEvent(new Event('signedout'));
    throw refused;
  }
}

/** @param {string} [of] */
function phonesPath(of) { return of ? `/api/people/${encodeURIComponent(of)}/phones` : '/api/phones'; }
