import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprint, Pins } from '../keys/pins.js';
import { Account } from '../people/account.js';
import { API } from '../people/api.js';
import { Household } from '../people/household.js';

/** The HTTP interface of the server, as far as accounts go, in memory. */
class FakeServer {
  /** @type {Record<string, any>} */
  user = {};
  /** @type {{ method: string, path: string, headers: any, body: any }[]} */
  requests = [];

  fetch = async (/** @type {string} */ path, /** @type {any} */ { method, headers, body }) => {
    const sent = body && JSON.parse(body);
    this.requests.push({ method, path, headers, body: sent });
    return new Response(...this.#answer(`${method} ${path.split('?')[0]}`, sent));
  };

  /** @param {string} what @param {any} body @returns {[string | null, ResponseInit]} */
  #answer(what, body) {
    const ok = (/** @type {any} */ value) => /** @type {[string, ResponseInit]} */ ([JSON.stringify(value), { status: 200 }]);
    const refuse = (/** @type {number} */ status, /** @type {string} */ code) =>
      /** @type {[string, ResponseInit]} */ ([JSON.stringify({ error: { code, message: '' } }), { status }]);
    const { keys } = this.user;
    switch (what) {
      case 'POST /api/join/T0ken':
        this.user = { ...body, userName: body.userName ?? 'bob' };
        return ok(this.#me());
      case 'GET /api/salt': return ok({ salt: this.user.salt, iterations: 600_000 });
      case 'POST /api/session': return body.auth === this.user.auth ? ok(this.#me()) : refuse(401, 'wrong-password');
      case 'GET /api/recovery/salt': return ok({ salt: keys.recovery.salt });
      case 'POST /api/recovery/open':
        return body.recoveryAuth === keys.recovery.auth ? ok({ recovery: keys.recovery }) : refuse(401, 'wrong-recovery-code');
      case 'POST /api/recovery/complete':
        Object.assign(this.user, { salt: body.salt, auth: body.auth });
        Object.assign(keys, { wrapped: body.wrapped, recovery: body.recovery });
        return ok(this.#me());
      case 'DELETE /api/session': return [null, { status: 204 }];
      default: return refuse(401, 'not-signed-in');
    }
  }

  #me() { return { userName: this.user.userName, fullName: this.user.fullName, role: 'member', keys: this.user.keys }; }
}

class FakePinStore {
  #pins = /** @type {Map<string, string>} */ (new Map());
  /** @param {string} name */
  async get(name) { return this.#pins.get(name); }
  /** @param {string} name @param {string} print */
  async set(name, print) { this.#pins.set(name, print); }
}

class FakeKeyStore {
  /** @type {Map<string, any>} */
  kept = new Map();
  /** @param {string} name @param {any} identity */
  async save(name, identity) { this.kept.set(name, identity); }
  async clear() { this.kept.clear(); }
}

function makeAccount() {
  const server = new FakeServer(), store = new FakeKeyStore();
  const api = new API(/** @type {any} */ (server.fetch));
  return { server, store, api, account: new Account(api, /** @type {any} */ (store)) };
}

test('joining, signing in elsewhere, and a forgotten password', async () => {
  const { server, store, account } = makeAccount();
  const { me, recoveryCode } = await account.join('T0ken', { password: 'a good password', userName: 'anna', fullName: 'Anna' });
  assert.equal(me.userName, 'anna');
  assert.match(recoveryCode, /^([0-9A-Z]{4}-){5}[0-9A-Z]{4}$/);
  assert.equal(store.kept.get('anna').signing.extractable, false);

  await account.signOut();
  assert.equal(store.kept.size, 0);
  await account.signIn('anna', 'a good password');
  assert.equal(store.kept.size, 1);
  await assert.rejects(account.signIn('anna', 'a bad password'), { code: 'wrong-password' });

  const typed = recoveryCode.toLowerCase().replaceAll('-', ' ');
  await assert.rejects(account.recover({ userName: 'anna', code: '0000', password: 'new' }), { code: 'not-a-recovery-code' });
  await assert.rejects(
    account.recover({ userName: 'anna', code: '0'.repeat(24), password: 'new' }), { code: 'wrong-recovery-code' });
  const before = server.user.keys.wrapped;
  const recovered = await account.recover({ userName: 'anna', code: typed, password: 'another password' });
  assert.notEqual(recovered.recoveryCode, recoveryCode);
  assert.notEqual(server.user.keys.wrapped, before);
  await account.signIn('anna', 'another password');
  await assert.rejects(account.signIn('anna', 'a good password'), { code: 'wrong-password' });

  const sent = JSON.stringify(server.requests);
  for (const secret of ['a good password', 'another password', recoveryCode, typed]) assert(!sent.includes(secret), secret);
});

test('what changes something says that it comes from our page', async () => {
  const { server, account } = makeAccount();
  await account.signOut();
  assert.deepEqual(server.requests[0].headers,
    { 'Accept': 'application/json', 'Content-Type': 'application/json', 'X-Hearth': '1' });
});

test('an ended session is told to whoever listens, and no server has its own word', async () => {
  const { api } = makeAccount();
  let told = 0;
  api.addEventListener('signedout', () => { told += 1; });
  await assert.rejects(api.me(), { status: 401, code: 'not-signed-in' });
  assert.equal(told, 1);
  await assert.rejects(new API(() => Promise.reject(new TypeError('offline'))).me(), { status: 0, code: 'offline' });
});

test('the household is everybody else by name, and a failed question keeps the last answer', async () => {
  const people = ['zoe', 'anna', 'bob'].map((name) => ({
    userName: name, fullName: name.toUpperCase(), address: `sip:${name}@example.org`, reachable: false,
    signingPublic: 'AAAA', agreementPublic: 'BBBB',
  }));
  let works = true;
  const api = { people: async () => works ? structuredClone(people) : Promise.reject(new Error()) };
  const household = new Household(/** @type {any} */ (api), /** @type {any} */ ({ userName: 'anna' }), new Pins('anna', new FakePinStore()));
  let changes = 0;
  household.addEventListener('change', () => { changes += 1; });
  await household.refresh();
  await household.refresh();
  assert.deepEqual(household.people?.map(({ userName }) => userName), ['bob', 'zoe']);
  assert.equal(changes, 1);
  people[0].reachable = true;
  await household.refresh();
  works = false;
  await household.refresh();
  assert.equal(changes, 2);
  assert.equal(household.named('zoe')?.reachable, true);
  assert.equal(household.at('SIP:Zoe@Example.org;gr=urn:uuid:1')?.userName, 'zoe');
});

test('keys are pinned at first sight, and a change is told until it is accepted', async () => {
  const people = [{ userName: 'bob', fullName: 'Bob', address: 'sip:bob@example.org', signingPublic: 'AAAA', agreementPublic: 'BBBB' }];
  const household = new Household(/** @type {any} */ ({ people: async () => structuredClone(people) }),
    /** @type {any} */ ({ userName: 'anna' }), new Pins('anna', new FakePinStore()));
  await household.refresh();
  assert.equal(household.changedKeys.size, 0);
  people[0].agreementPublic = 'CCCC';
  await household.refresh();
  assert.deepEqual([...household.changedKeys], ['bob']);
  await household.acceptKeys(/** @type {any} */ (people[0]));
  assert.equal(household.changedKeys.size, 0);
  people[0].fullName = 'Robert';
  await household.refresh();
  assert.equal(household.changedKeys.size, 0);
});

test("the inviter's keys are known from the link, before the first sight", async () => {
  const keys = { userName: 'anna', signingPublic: 'AAAA', agreementPublic: 'BBBB' };
  // Python: sha256(bytes(3) + b'\x04\x10\x41')
  assert.equal(await fingerprint(keys), '1WUemnoi89I4_NLs7NmmfFyrXEbjU629uNvNguC0tEw');
  const pins = new Pins('bob', new FakePinStore());
  await pins.expect('anna', await fingerprint(keys));
  assert.equal(await pins.matches(keys), true);
  assert.equal(await pins.matches({ ...keys, signingPublic: 'AAAB' }), false);
});
