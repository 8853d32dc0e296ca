import { Agent } from './agent.js';
import { Connection } from './connection.js';
import { Devices } from './devices.js';
import { Peer } from './peer.js';
import { Phone } from './phone.js';
import { soundsOf } from './sounds.js';
import { Tab } from './tab.js';
import { Tones } from './tones.js';
import { keepAwake } from './wakefulness.js';

/** @typedef {import('../people/api.js').Me} Me */

const agent = new Agent();
const PROGRAM = '/phone/hearth.wasm';
/** The phone's program comes while the person is still signing in. */
const loaded = agent.load(PROGRAM).catch(() => agent.load(PROGRAM));
loaded.catch(() => {});
const tones = new Tones();
for (const press of ['pointerdown', 'keydown']) addEventListener(press, () => tones.unlock(), { once: true });

/**
 * The phone of the person who is signed in, connected and registering.
 *
 * @param {Me} me
 * @param {(address: string, name: string) => string} nameOf what a caller is called here
 * @returns {Promise<{ phone: Phone, stop: () => void }>}
 */
export async function makePhone(me, nameOf) {
  const tab = new Tab();
  const [instanceID] = await Promise.all([tab.instance(), loaded]);
  const isSecure = location.protocol === 'https:';
  const url = new URL(me.sip.url, location.href);
  url.protocol = isSecure ? 'wss:' : 'ws:';
  const connection = new Connection(url.href);
  const makePeer = () => new Peer({ iceServers: me.sip.iceServers, waitsForCandidates: me.sip.trickle !== 'full' });
  const phone = new Phone({ agent, connection, devices: new Devices(), tab, makePeer, nameOf });
  soundsOf(phone, { tones, tab });
  agent.start({
    aor: me.address, displayName: me.fullName, instanceID, transport: isSecure ? 'wss' : 'ws',
    // RFC 7118 §5: a browser has no address of its own to put into Via.
    sentBy: `${crypto.randomUUID().replaceAll('-', '').slice(0, 12)}.invalid`,
    trickle: me.sip.trickle, userAgentHeader: `Hearth/${me.version}`,
  });
  const awake = new AbortController();
  const stop = () => {
    awake.abort();
    phone.stop();
  };
  keepAwake(connection, awake.signal);
  addEventListener('pagehide', stop, { signal: awake.signal });
  connection.open();
  return { phone, stop };
}
