/** @typedef {import('./connection.js').Connection} Connection */

/** A timer that fires this much later than it should, in milliseconds, has slept with the machine. */
const SLEPT = 20_000;
const TICK = 10_000;

/**
 * Brings the connection back the moment there is a reason to hope: the network is up, the page is looked at, the machine woke up.
 *
 * @param {Connection} connection
 * @param {AbortSignal} signal ends the watch
 */
export function keepAwake(connection, signal) {
  addEventListener('online', () => connection.renew(), { signal });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) connection.wake(); }, { signal });
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    // A hidden page's timers are slowed down to a minute: that is no sleep.
    if (now - last > TICK + (document.hidden ? 120_000 : SLEPT)) connection.renew();
    last = now;
  }, TICK);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}
