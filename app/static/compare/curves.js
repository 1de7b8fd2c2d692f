// One chart of a chosen number for all runs, and a table of their newest numbers.

import { columnOf, metricOf, valueOf } from "../kit/catalogue.js";
import { el, select, setText } from "../kit/dom.js";
import { formatNumber, formatPercent } from "../kit/format.js";
import { CONFIG, LineChart, axisLook, logAxis, positiveExtent } from "../panels/chart.js";
import { DASHES, runColours } from "./panels.js";

/** Numbers by key, as links and presets name them: the columns that hold them, the first known one wins. */
const NUMBERS = {
  radius: ["radius", "norm_mean"], nc1: ["nc1_pinv"], separation: ["separation_ratio"], train: ["train_accuracy"], test: ["test_accuracy"],
  weights: ["weight_abs_cv"], peaks: ["node_peak_distance_mean"], spread: ["within_class_spread"], ce: ["ce"], norm: ["weight_norm"], gamma: ["gamma"],
};
const IN_TABLE = ["radius", "nc1", "separation", "train", "test", "weights", "peaks"];
const metricFor = (key) => metricOf(NUMBERS[key][0]);

export class CompareCurves extends LineChart {
  /** hooks: {clock, panels()} */
  constructor({ clock, panels }) {
    super(el("div", { class: "lpc-compare-chart", testid: "lpc-compare-chart" }), clock, { name: "compare", testid: "lpc-compare-x" });
    Object.assign(this, { panels, pick: "nc1" });
    this.menu = select("Number in the chart", Object.keys(NUMBERS).map((key) => [key, metricFor(key).title]), this.pick, (key) => this.choose(key),
      { "data-testid": "lpc-compare-pick", class: "lpc-compare-pick" });
    this.table = el("table", { class: "lpc-compare-table", testid: "lpc-compare-table" });
    const head = el("header", { class: "lpc-head" }, this.menu,
      el("div", { class: "lpc-tools" }, el("span", { class: "lpc-hint", text: "against" }), this.against));
    this.element = el("div", { class: "lpc-compare-below" },
      el("section", { class: "lpc-panel", "aria-label": "Curves" }, head, this.chart),
      el("section", { class: "lpc-panel lpc-compare-numbers", "aria-label": "Numbers" }, el("header", { class: "lpc-head" }, el("h3", { text: "Now" })), this.table));
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

  /** A row for each run, a column for each number; a column's name puts it into the chart. */
  buildTable() {
    this.heads = IN_TABLE.map((key) => {
      const { title, short } = metricFor(key);
      return el("button", { type: "button", text: short, title: `Draw: ${title}`, on: { click: () => this.choose(key) } });
    });
    const head = el("tr", {}, el("th", { scope: "col", text: "run" }), ...this.heads.map((button) => el("th", { scope: "col" }, button)));
    this.rows = this.panels().map((panel) => {
      const mark = panel.mark.cloneNode();
      const cells = IN_TABLE.map(() => el("td", { text: "–" }));
      return { cells, row: el("tr", {}, el("th", { scope: "row" }, mark, el("span", { text: panel.element.getAttribute("aria-label") })), ...cells) };
    });
    this.table.replaceChildren(el("thead", {}, head), el("tbody", {}, ...this.rows.map(({ row }) => row)));
    this.markPick();
  }

  markPick() {
    this.heads?.forEach((button, i) => button.setAttribute("aria-pressed", String(IN_TABLE[i] === this.pick)));
  }

  fillTable() {
    this.panels().forEach(({ history }, r) => IN_TABLE.forEach((key, c) => {
      const value = valueOf(history.latest, NUMBERS[key]);
      setText(this.rows[r].cells[c], metricFor(key).scale === "percent" ? formatPercent(value) : formatNumber(value));
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
    return columnOf(panel.history.columns, NUMBERS[this.pick]);
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
    const { scale } = metricFor(this.pick);
    const common = axisLook(theme);
    const byGamma = this.x === "gamma";
    const gammas = positiveExtent(...this.panels().map((panel) => panel.history.columns.gamma));
    const vertical = scale === "percent" ? { range: [0, 1.03], tickformat: ".0%" } : scale === "linear" ? { rangemode: "tozero" }
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
}
