// One chart of a chosen number for all runs, and a table of their newest numbers.

import { el, segmented, select, setText } from "../kit/dom.js";
import { formatNumber, formatPercent } from "../kit/format.js";
import { logAxis, positiveExtent } from "../panels/curves.js";
import { columnOf, valueOf } from "../kit/catalogue.js";
import { DASHES, runColours } from "./panels.js";

const EVERY_MS = 190;
const CONFIG = { displayModeBar: false, typesetMath: false, showTips: false, doubleClick: "reset" };

// key: [name in the menu, name in the table ("" is not there), columns, linear or percent]
const NUMBERS = {
  radius: ["Radius R", "radius R", ["radius", "norm_mean"]],
  nc1: ["NC1", "NC1", ["nc1_pinv"]],
  separation: ["Separation ratio 𝓡", "𝓡", ["separation_ratio"]],
  train: ["Train accuracy", "train", ["train_accuracy"], "percent"],
  test: ["Test accuracy", "test", ["test_accuracy"], "percent"],
  weights: ["Head weight variation", "head weight variation", ["weight_abs_cv"], "linear"],
  peaks: ["Peak distance, mean node", "peak distance", ["node_peak_distance_mean"]],
  spread: ["Spread within a class", "", ["within_class_spread"]],
  ce: ["Cross-entropy", "", ["ce"]],
  norm: ["Head norm", "", ["weight_norm"]],
  gamma: ["γ", "", ["gamma"]],
};

export class CompareCurves {
  /** hooks: {clock, panels()} */
  constructor({ clock, panels }) {
    Object.assign(this, { panels, pick: "nc1", x: "step", theme: null });
    this.gd = el("div", { class: "lpc-fill-plot" });
    this.chart = el("div", { class: "lpc-compare-chart", testid: "lpc-compare-chart" }, this.gd);
    this.menu = select("Number in the chart", Object.entries(NUMBERS).map(([key, [name]]) => [key, name]), this.pick, (key) => this.choose(key),
      { "data-testid": "lpc-compare-pick", class: "lpc-compare-pick" });
    this.against = segmented("Horizontal axis", [
      { value: "step", text: "step", title: "Against training steps" }, { value: "gamma", text: "γ", title: "Against each run's γ" },
    ], (x) => this.setX(x), "lpc-compare-x");
    this.against.select("step");
    this.table = el("table", { class: "lpc-compare-table", testid: "lpc-compare-table" });
    const head = el("header", { class: "lpc-head" }, this.menu,
      el("div", { class: "lpc-tools" }, el("span", { class: "lpc-hint", text: "against" }), this.against));
    this.element = el("div", { class: "lpc-compare-below" },
      el("section", { class: "lpc-panel", "aria-label": "Curves" }, head, this.chart),
      el("section", { class: "lpc-panel lpc-compare-numbers", "aria-label": "Numbers" }, el("header", { class: "lpc-head" }, el("h3", { text: "Now" })), this.table));
    this.drawing = clock.add("compare", EVERY_MS, () => this.draw());
    this.observer = new ResizeObserver(() => this.drawing.touch());
    this.observer.observe(this.chart);
  }

  usePlotly(Plotly) {
    this.Plotly = Plotly;
    this.drawing.touch();
  }

  restyle(theme) {
    this.theme = theme;
    this.buildTable();
    this.drawing.touch();
  }

  choose(key) {
    this.pick = this.menu.value = key;
    this.markPick();
    this.drawing.touch();
  }

  setX(x) {
    this.x = x;
    this.against.select(x);
    this.drawing.touch();
  }

  /** A row for each run, a column for each number; a column's name puts it into the chart. */
  buildTable() {
    this.columns = Object.entries(NUMBERS).filter(([, [, short]]) => short);
    this.heads = this.columns.map(([key, [title, short]]) => el("button", { type: "button", text: short, title: `Draw: ${title}`, on: { click: () => this.choose(key) } }));
    const head = el("tr", {}, el("th", { scope: "col", text: "run" }), ...this.heads.map((button) => el("th", { scope: "col" }, button)));
    this.rows = this.panels().map((panel) => {
      const mark = panel.mark.cloneNode();
      const cells = this.columns.map(() => el("td", { text: "–" }));
      return { cells, row: el("tr", {}, el("th", { scope: "row" }, mark, el("span", { text: panel.element.getAttribute("aria-label") })), ...cells) };
    });
    this.table.replaceChildren(el("thead", {}, head), el("tbody", {}, ...this.rows.map(({ row }) => row)));
    this.markPick();
  }

  markPick() {
    this.heads?.forEach((button, i) => button.setAttribute("aria-pressed", String(this.columns[i][0] === this.pick)));
  }

  fillTable() {
    this.panels().forEach(({ history }, r) => this.columns.forEach(([, [, , names, kind]], c) => {
      const value = valueOf(history.latest, names);
      setText(this.rows[r].cells[c], kind === "percent" ? formatPercent(value) : formatNumber(value));
    }));
  }

  draw() {
    if (!this.theme || !this.rows || this.rows.length !== this.panels().length) return false;
    this.fillTable();
    if (!this.Plotly || !this.chart.clientWidth) return false;
    this.Plotly.react(this.gd, this.traces(), this.layout(), CONFIG);
    return true;
  }

  values(panel) {
    return columnOf(panel.history.columns, NUMBERS[this.pick][2]);
  }

  traces() {
    const colours = runColours(this.theme);
    return this.panels().map((panel, i) => ({
      type: "scatter", mode: "lines", name: panel.element.getAttribute("aria-label"), x: panel.history.columns[this.x], y: this.values(panel),
      connectgaps: true, line: { color: colours[i], dash: DASHES[i], width: 2 }, hovertemplate: "%{y:.3g}",
    }));
  }

  layout() {
    const { theme, chart } = this;
    const [, , , kind] = NUMBERS[this.pick];
    const common = { gridcolor: theme.grid, zeroline: false, linecolor: theme.line, exponentformat: "power", fixedrange: true };
    const byGamma = this.x === "gamma";
    const gammas = positiveExtent(...this.panels().map((panel) => panel.history.columns.gamma));
    const vertical = kind === "percent" ? { range: [0, 1.03], tickformat: ".0%" } : kind === "linear" ? { rangemode: "tozero" }
      : logAxis(positiveExtent(...this.panels().map((panel) => this.values(panel))), 0.06);
    this.revision = (this.revision || 0) + 1; // the columns are the same arrays, grown
    return {
      datarevision: this.revision, width: chart.clientWidth, height: chart.clientHeight, margin: { l: 48, r: 10, t: 8, b: 34 }, showlegend: false, hovermode: "x unified", dragmode: false,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: theme.font, size: 12, color: theme.muted },
      hoverlabel: { bgcolor: theme.background, font: { family: theme.font, size: 12, color: theme.text } },
      xaxis: { ...common, showgrid: false, showline: true, title: { text: byGamma ? "γ" : "step", standoff: 4 }, ...(byGamma ? logAxis(gammas, 0) : { rangemode: "tozero", tickformat: "~s" }) },
      yaxis: { ...common, nticks: 6, ...vertical },
    };
  }

  destroy() {
    this.observer.disconnect();
    if (this.Plotly && this.gd._fullLayout) this.Plotly.purge(this.gd);
  }
}
