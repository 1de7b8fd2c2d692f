// Counts what is drawn and how long γ takes from the hand to the screen; for tests and benchmarks.

const KEPT = 200;

export class Stats {
  constructor() {
    Object.assign(this, { draws: 0, frames: 0, frameDraws: 0, lastDrawAt: 0, drawMs: 0 });
    this.charts = {}; // name → {draws, ms: mean milliseconds of script per draw}
    this.waiting = []; // [{seq, at}]
    this.gammaLatenciesMs = [];
  }

  gammaSent(seq) {
    this.waiting.push({ seq, at: performance.now() });
    if (this.waiting.length > KEPT) this.waiting.shift();
  }

  /** A frame with this `gamma_seq` is on the screen. */
  gammaShown(seq) {
    const now = performance.now();
    while (this.waiting.length && this.waiting[0].seq <= seq) this.gammaLatenciesMs.push(now - this.waiting.shift().at);
    if (this.gammaLatenciesMs.length > KEPT) this.gammaLatenciesMs.splice(0, this.gammaLatenciesMs.length - KEPT);
  }

  drew(start) {
    this.lastDrawAt = performance.now();
    this.drawMs += 0.05 * (this.lastDrawAt - start - this.drawMs);
    this.draws += 1;
  }

  chartDrew(name, ms) {
    const chart = (this.charts[name] ??= { draws: 0, ms });
    chart.draws += 1;
    chart.ms += 0.1 * (ms - chart.ms);
  }

  /** A copy, safe to hand out. */
  copy() {
    const { waiting, ...rest } = this;
    return structuredClone({ ...rest, gammaWaiting: waiting.length });
  }
}
