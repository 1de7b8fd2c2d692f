// A chart of lines that grows: drawn by Plotly at its own pace, against training steps or γ.

import { el, segmented } from "../kit/dom.js";
import { logTicks } from "../charts/logticks.js";
import { tr } from "../kit/words.js";

const EVERY_MS = 190; // Plotly redraws of four charts take tens of milliseconds

export const CONFIG = { displayModeBar: false, typesetMath: false, showTips: false, doubleClick: "reset" };

export class LineChart {
  /** chart: where it is drawn; name: the clock's; testid of the switch of its horizontal axis. */
  constructor(chart, clock, { name, testid }) {
    Object.assign(this, { chart, x: "step", theme: null, Plotly: null });
    this.gd = el("div", { class: "lpc-fill-plot" });
    chart.append(this.gd);
    this.against = segmented(tr("Horizontal axis"), [
      { value: "step", text: tr("step"), title: tr("Against training steps"), testid: `${testid}-step` },
      { value: "gamma", text: "γ", title: tr("Against γ"), testid: `${testid}-gamma` },
    ], (x) => this.setX(x), testid);
    this.against.select("step");
    this.drawing = clock.add(name, EVERY_MS, () => this.draw(), chart);
  }

  restyle(theme) {
    this.theme = theme;
    this.drawing.touch();
  }

  usePlotly(Plotly) {
    this.Plotly = Plotly;
    this.drawing.touch();
  }

  setX(x) {
    this.x = x;
    this.against.select(x);
    this.drawing.touch();
  }

  destroy() {
    if (this.Plotly && this.gd._fullLayout) this.Plotly.purge(this.gd);
  }
}

/** Plotly's name of the axis of chart `slot` among several: x, x2, x3, … */
export const axisName = (axis, slot) => (slot ? `${axis}${slot + 1}` : axis);

/** What the axes of every such chart share. Labels are not measured: that would lay out the page for each, a third of a redraw. */
export const axisLook = (theme) => ({ gridcolor: theme.grid, zeroline: false, linecolor: theme.line, exponentformat: "power", fixedrange: true, ticklabeloverflow: "allow", tickangle: 0 });

/** Smallest and largest positive value of the columns. */
export function positiveExtent(...columns) {
  let [low, high] = [Infinity, 0];
  for (const values of columns) {
    for (const value of values) if (value > 0 && value < Infinity) [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  return high > 0 ? [low, high] : [1e-3, 10];
}

/** A log axis around [low, high]: labels at decades, or at 1, 2 and 5 when they span less than two. */
export function logAxis([low, high], pad) {
  let [from, to] = [Math.log10(low), Math.log10(high)];
  const margin = Math.max(pad * (to - from), (0.3 - (to - from)) / 2);
  [from, to] = [from - margin, to + margin];
  return { type: "log", range: [from, to], ...logTicks(from, to) };
}
