/** @typedef {import('./agent.js').Agent} Agent */

const COMMANDS = /** @type {const} */ (['call', 'answer', 'reject', 'hangUp', 'offer', 'answerOffer', 'rejectOffer', 'candidates']);

/**
 * The part of the agent that one call uses.
 *
 * @typedef {Pick<Agent, typeof COMMANDS[number]>} CallAgent
 */

/** Lines to the agent, one for each call. After the agent's restart they are dead: the new one numbers its calls anew. */
export class AgentLines {
  #agent;
  #era = 0;

  /** @param {Agent} agent */
  constructor(agent) { this.#agent = agent; }

  cut() { this.#era += 1; }

  /** @returns {CallAgent} */
  open() {
    const era = this.#era;
    return /** @type {CallAgent} */ (Object.fromEntries(COMMANDS.map((name) =>
      [name, (/** @type {any} */ fields) => era === this.#era ? this.#agent[name](fields) : 'unknownCall'])));
  }
}
