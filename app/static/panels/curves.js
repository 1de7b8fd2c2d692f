// The curves panel: four small charts of the run so far, each free to show another metric, against step or γ.

import { el, renew, select, setText } from "../kit/dom.js";
import { formatNumber, formatPercent } from "../kit/format.js";
import { tr } from "../kit/words.js";
import { CONFIG, LineChart, axisLook, axisName, logAxis, positiveExtent } from "./chart.js";
import { History } from "./history.js";

const SLOTS = 4;
const HEAD = { 1: 62, 2: 48 }; // pixels above each plot for its name and its numbers, by columns

export class Curves extends LineChart {
  /** parts: {chart, tools}; hooks: {clock, info(key)} */
  constructor({ chart, tools }, { clock, info }) {
    super(chart, clock, { name: "curves", testid: "lpc-x" });
    Object.assign(this, { tools, info, history: new History(), told: {}, picks: [], menuKey: "" });
    this.heads = el("div", { class: "lpc-curve-heads" });
    this.axisNames = [0, 1].map(() => el("span", { class: "lpc-curve-axis" })); // by Plotly, each drawing would lay out the page for them
    chart.append(this.heads, ...this.axisNames);
    tools.append(el("span", { class: "lpc-hint", text: tr("against") }), this.against);
  }

  setup({ info }) {
    this.history.load(info.history || {});
    this.told = {};
    this.explain(info.catalogue);
  }

  /** The words of another run; what a reader chose stays chosen. */
  explain(catalogue) {
    this.catalogue = catalogue;
    if (!this.picks.length) this.picks = this.usual();
    this.buildHeads();
    this.drawing.touch();
  }

  /** The charts that a page begins with. */
  usual() {
    return Object.keys(this.catalogue.charts).slice(0, SLOTS);
  }

  /** Every received frame, drawn or not: its metrics are a point of the curves. */
  record(info) {
    if (!Object.keys(info.metrics || {}).length) return;
    this.history.append(rowOf(info));
    this.buildHeads();
    this.drawing.touch();
  }

  /** The numbers in the headings: those of one moment. */
  tell(info) {
    this.told = rowOf(info);
    this.fillHeads();
  }

  fillHeads() {
    [...this.heads.children].forEach((head, slot) => this.fillValues(head.lastChild, this.catalogue.chart(this.picks[slot])));
  }

  /** The four headings: a menu of metrics, ⓘ, and the newest numbers. Rebuilt only when a metric or its title is new. */
  buildHeads() {
    const menu = this.catalogue.chartMenu(Object.keys(this.history.columns));
    const key = menu.join();
    if (key === this.menuKey) return;
    this.menuKey = key;
    renew(this.heads, ...this.picks.map((pick, slot) => this.head(pick, slot, menu)));
    if (!this.theme) return;
    this.measure();
    this.placeHeads();
  }

  head(pick, slot, menu) {
    const values = el("div", { class: "lpc-curve-values" });
    const choice = select(tr("Curve {n}", { n: slot + 1 }), menu, pick, (value) => this.swap(slot, value), { class: "lpc-curve-pick", "data-testid": `lpc-curve-pick-${slot}` });
    const about = this.info(`curve-${pick}`, slot);
    return el("div", { class: "lpc-curve-head" }, el("div", { class: "lpc-curve-title" }, choice, about), values);
  }

  charts() {
    return this.picks.map((pick) => this.catalogue.chart(pick));
  }

  swap(slot, key) {
    this.picks[slot] = key;
    this.menuKey = "";
    this.buildHeads();
    this.drawing.touch();
  }

  draw() {
    if (!this.theme || !this.catalogue || !this.chart.clientWidth) return false;
    this.measure();
    if (!this.Plotly) return void this.placeHeads(); // each over its place, until there is something to draw with
    this.Plotly.react(this.gd, this.traces(), this.layout(), CONFIG);
    this.placeHeads();
    return true;
  }

  /** Asked for once, and not between what is drawn: that would lay out the page each time. */
  measure() {
    this.columns = this.chart.clientWidth >= 360 ? 2 : 1;
    this.chart.classList.toggle("lpc-one-column", this.columns === 1);
    this.size = [this.chart.clientWidth, this.chart.clientHeight];
  }

  box(slot) {
    const [w, h] = this.size;
    const rows = SLOTS / this.columns;
    const [cw, ch] = [w / this.columns, h / rows];
    const [column, row] = [slot % this.columns, Math.floor(slot / this.columns)];
    return { left: column * cw, top: row * ch, x0: column * cw + 46, x1: (column + 1) * cw - 12, y0: row * ch + HEAD[this.columns], y1: (row + 1) * ch - 30, w, h, cw };
  }

  lineStyle(index, dash) {
    const tints = [this.theme.force.out, this.theme.dark ? "#f5b335" : "#b45309"];
    return { color: tints[index % 2], width: index ? 1.6 : 1.8, dash };
  }

  traces() {
    const { columns } = this.history;
    return this.charts().flatMap(({ lines }, slot) => lines.map((one, index) => ({
      type: "scatter", mode: "lines", name: one.label, x: columns[this.x], y: columns[one.name] ?? [], connectgaps: true,
      line: this.lineStyle(index, one.dash), xaxis: axisName("x", slot), yaxis: axisName("y", slot),
      hovertemplate: "%{y:.3g}",
    })));
  }

  layout() {
    const { theme, size: [width, height] } = this;
    const layout = {
      width, height, margin: { l: 0, r: 0, t: 0, b: 0 }, showlegend: false, hovermode: "x",
      dragmode: false, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: theme.font, size: 11, color: theme.muted },
      hoverlabel: { font: { family: theme.font, size: 12 } },
    };
    this.charts().forEach(({ axis }, slot) => Object.assign(layout, this.axes(axis, slot)));
    return layout;
  }

  axes(axis, slot) {
    const [log, percent] = [axis === "log", axis === "percent"];
    const { x0, x1, y0, y1, w, h } = this.box(slot);
    const empty = this.history.length < 1;
    const common = axisLook(this.theme);
    const byGamma = this.x === "gamma";
    return {
      [axisName("xaxis", slot)]: {
        ...common, domain: [x0 / w, x1 / w], anchor: axisName("y", slot), nticks: 5, showgrid: false, showline: true,
        ...(byGamma ? logAxis(positiveExtent(this.history.columns.gamma), 0) : { tickformat: "~s", rangemode: "tozero" }),
        ...(empty && !byGamma ? { range: [0, 1_000] } : {}),
      },
      [axisName("yaxis", slot)]: {
        ...common, domain: [1 - y1 / h, 1 - y0 / h], anchor: axisName("x", slot), nticks: 4, ...(log ? logAxis(this.extent(slot), 0.06) : {}),
        ...(percent ? { tickformat: ".0%", tickvals: [0, 0.5, 1] } : {}), ...(percent ? { range: [0, 1.02] } : empty && !log ? { range: [0, 1] } : {}),
      },
    };
  }

  /** Smallest and largest positive value that a chart's lines have. */
  extent(slot) {
    return positiveExtent(...this.catalogue.chart(this.picks[slot]).lines.map(({ name }) => this.history.columns[name] ?? []));
  }

  /** The charts that have none below them, and what their horizontal axes show. */
  lowest() {
    return { slots: this.picks.map((_, slot) => slot).slice(-this.columns), text: this.x === "gamma" ? "γ" : tr("step") };
  }

  placeHeads() {
    [...this.heads.children].forEach((head, slot) => {
      const { left, top, cw } = this.box(slot);
      Object.assign(head.style, { left: `${left}px`, top: `${top}px`, width: `${cw - 8}px` });
    });
    const { slots, text } = this.lowest();
    this.axisNames.forEach((name, i) => {
      name.hidden = i >= slots.length;
      if (name.hidden) return;
      setText(name, text);
      const { x0, x1 } = this.box(slots[i]);
      Object.assign(name.style, { left: `${x0}px`, width: `${x1 - x0}px` });
    });
    this.fillHeads();
  }

  /** The legend and the moment's values in one line. */
  fillValues(host, { lines, axis }) {
    while (host.children.length < lines.length) host.append(el("span", {}, el("i"), el("span"), el("b")));
    lines.forEach((one, index) => {
      const [mark, name, value] = host.children[index].children;
      const { color, dash } = this.lineStyle(index, one.dash);
      mark.style.borderTop = `2px ${dash === "solid" ? "solid" : dash === "dash" ? "dashed" : "dotted"} ${color}`;
      setText(name, one.label);
      const number = this.told[one.name];
      setText(value, axis === "percent" ? formatPercent(number) : formatNumber(number));
    });
  }
}

/** A measured moment as a point of the curves. */
const rowOf = ({ metrics, step, gamma, predicted_radius }) => ({ ...metrics, step, gamma, predicted_radius });
