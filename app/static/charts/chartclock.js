// One clock for the charts beside the latents: at most one redraw per tick, each chart at its own pace, slower where drawing takes long.
// It ticks when the page is drawn, so that what nobody sees is not drawn.

const TICK_MS = 12;
const RESTS = 2; // times as long as it took to draw: on a slow machine the charts leave the points and γ their time

export class ChartClock {
  /** drawn(name, ms) hears of every redraw and the script time it took. */
  constructor(drawn) {
    Object.assign(this, { drawn, charts: [], timer: null });
  }

  /** Registers `draw()` to run at most every `everyMs` → a handle whose `touch()` asks for it; so does another size of `host`. */
  add(name, everyMs, draw, host) {
    const touch = () => {
      chart.dirty = true;
      this.timer ??= this.wait();
    };
    const chart = { name, everyMs, draw, dirty: false, last: 0, took: 0, touch, sizes: new ResizeObserver(touch) };
    chart.sizes.observe(host);
    this.charts.push(chart);
    return chart;
  }

  wait() {
    return setTimeout(() => requestAnimationFrame(() => this.tick()), TICK_MS);
  }

  /** Draws the chart that is most overdue; a clock with nothing left to draw stops. */
  tick() {
    this.timer = null;
    const now = performance.now();
    const waiting = this.charts.filter((chart) => chart.dirty);
    const overdue = ({ last, everyMs, took }) => (now - last) / Math.max(everyMs, RESTS * took);
    const chart = waiting.filter((one) => overdue(one) >= 1).sort((a, b) => overdue(b) - overdue(a))[0];
    if (waiting.length) this.timer = this.wait();
    if (!chart) return;
    chart.dirty = false;
    chart.last = now;
    const drawn = chart.draw();
    chart.took = performance.now() - now;
    if (drawn) this.drawn(chart.name, chart.took);
  }

  stop() {
    clearTimeout(this.timer);
    for (const { sizes } of this.charts) sizes.disconnect();
    this.charts = [];
  }
}
