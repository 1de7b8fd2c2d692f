// How many steps a run may take now, how fast it goes, and how often its frames are drawn; as `app.live.pacing`.

const UNLIMITED = 1_000_000;

/** `rate` steps per second, never more than a quarter second's worth at once; 0 is no limit. Times in seconds. */
export class StepBudget {
  constructor(rate, now) {
    Object.assign(this, { rate, tokens: 1, at: now });
  }

  setRate(rate, now) {
    Object.assign(this, { rate, tokens: Math.min(this.tokens, 1), at: now });
  }

  allowance(now) {
    if (!this.rate) return UNLIMITED;
    this.tokens = Math.min(Math.max(1, this.rate / 4), this.tokens + (now - this.at) * this.rate);
    this.at = now;
    return Math.floor(this.tokens + 1e-9);
  }

  spend(steps) {
    if (this.rate) this.tokens -= steps;
  }

  /** Seconds until the next whole step. */
  wait() {
    return this.rate ? Math.max(0, (1 - this.tokens) / this.rate) : 0;
  }
}

/** Steps per second, smoothed over about a second. */
export class RateMeter {
  constructor(now) {
    this.stop(now);
  }

  add(steps, now) {
    this.steps += steps;
    const span = now - this.since;
    if (span < 0.25) return;
    const keep = this.rate ? Math.exp(-span) : 0;
    Object.assign(this, { rate: keep * this.rate + ((1 - keep) * this.steps) / span, since: now, steps: 0 });
  }

  stop(now) {
    Object.assign(this, { since: now, steps: 0, rate: 0 });
  }
}

/** A running mean of seconds, one more of which has come. */
export const smoothed = (before, seconds) => (before ? 0.8 * before + 0.2 * seconds : seconds);

/** Seconds between frames that cost so much: 30 a second while they take at most 35 % of the time, down to 5. */
export const frameInterval = (cost) => Math.max(1 / 30, Math.min(cost / 0.35, Math.max(1 / 5, cost / 0.7)));

/** The same between measurements: 6 a second, fewer when they would take over 15 % of the time. */
export const metricsInterval = (cost) => Math.max(1 / 6, Math.min(cost / 0.15, 2));
