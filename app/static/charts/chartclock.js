// One clock for the charts beside the latents: at most one redraw per tick, each chart at its own pace.

const TICK_MS = 45;

export class ChartClock {
  /** drawn(name, ms) hears of every redraw and the script time it took. */
  constructor(drawn) {
    Object.assign(this, { drawn, charts: [], timer: null });
  }

  /** Registers `draw()` to run at most every `everyMs` → a handle whose `touch()` asks for it. */
  add(name, everyMs, draw) {
    const chart = { name, everyMs, draw, dirty: false, last: 0, touch: () => this.touch(chart) };
    this.charts.push(chart);
    return chart;
  }

  touch(chart) {
    chart.dirty = true;
    this.timer ??= setTimeout(() => this.tick(), TICK_MS);
  }

  /** Draws the chart that is most overdue; a clock with nothing left to draw stops. */
  tick() {
    this.timer = null;
    const now = performance.now();
    const waiting = this.charts.filter((chart) => chart.dirty);
    const overdue = ({ last, everyMs }) => (now - last) / everyMs;
    const chart = waiting.filter((one) => overdue(one) >= 1).sort((a, b) => overdue(b) - overdue(a))[0];
    if (waiting.length) this.timer = setTimeout(() => this.tick(), TICK_MS);
    if (!chart) return;
    chart.dirty = false;
    chart.last = now;
    if (chart.draw()) this.drawn(chart.name, performance.now() - now);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
    this.charts = [];
  }
}
