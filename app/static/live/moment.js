// The one moment that all words and numbers of a live page are of: measured, and changed together.

const EVERY_MS = 500; // while it runs: no faster than numbers can be read

export class Moment {
  constructor() {
    this.clear();
  }

  /** Of another run nothing is said yet. */
  clear() {
    Object.assign(this, { said: null, newest: null, at: -Infinity });
  }

  /** A received message, which may carry the metrics of some run. */
  receive(message) {
    if (message.info.panels.some(({ metrics }) => Object.keys(metrics || {}).length)) this.newest = message;
  }

  /** What is to be said from now on, with `drawn` on the screen: a message, or null for what is said already. At rest it is the drawn moment's, at once. */
  next(drawn, now) {
    if (!drawn) return null;
    const running = drawn.info.state === "running";
    if (running ? now - this.at < EVERY_MS : this.newest?.info.frame > drawn.info.frame) return null; // soon; about to be drawn
    const unmeasured = !running && drawn.info.step !== (this.newest ?? this.said)?.info.step;
    const message = unmeasured ? drawn : this.newest;
    if (!message || message === this.said) return null;
    Object.assign(this, { said: message, newest: message === this.newest ? null : this.newest, at: now });
    return message;
  }

  /** Milliseconds until what has come may be said; null when nothing waits. */
  wait(now) {
    return this.newest ? Math.max(0, this.at + EVERY_MS - now) : null;
  }
}
