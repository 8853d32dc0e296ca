import { words } from '../strings/words.js';

/** @typedef {import('../phone/call-session.js').CallSession} CallSession */
/** @typedef {import('../phone/call-session.js').Ending} Ending */

/** The registrar's word for somebody none of whose devices is there, and a device's when nobody comes (RFC 3261 §21.4.18). */
const TEMPORARILY_UNAVAILABLE = 480;

/**
 * Why a call ended, as a person would say it.
 *
 * @param {CallSession} call
 * @returns {string}
 */
export function endingOf({ ending, name, direction, hasRung }) {
  const { cause, status, problem } = /** @type {Ending} */ (ending);
  const isIncoming = direction === 'incoming';
  if (problem) return words.problems.beforeCall[problem];
  if (cause === 'noAnswer' && status === TEMPORARILY_UNAVAILABLE && !hasRung) return words.endings.notReachable(name);
  if (cause === 'declined' && isIncoming) return words.endings.declinedByUs();
  if (cause === 'cancelled' && isIncoming) return words.endings.cancelledByThem(name);
  const say = words.endings[/** @type {keyof typeof words.endings} */ (cause)] ?? words.endings.failed;
  return say(name, status);
}

/**
 * What is not as it should be in a call that is on.
 *
 * @param {CallSession} call
 * @returns {string[]}
 */
export function noticesOf(call) {
  if (call.isOver) return [];
  const { problems: { audio, video }, replaced, name } = call;
  return [
    ...call.isPathLost ? [words.call.pathLost] : [],
    ...call.isHeld ? [words.call.held(name)] : [],
    ...audio ? [words.problems.audio[audio]] : [],
    ...video && video !== audio ? [words.problems.video[video]] : [],
    ...replaced.audio ? [words.call.microphoneReplaced] : [],
    ...replaced.video ? [words.call.cameraReplaced] : [],
    ...call.isCameraRefused ? [words.call.cameraRefused(name)] : [],
  ];
}

/** @param {number} milliseconds @returns {string} as 0:07, 12:34, 1:02:03 */
export function duration(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}
