// One chart of a chosen number for all runs, and a table of their newest numbers.

import { Catalogue } from "../charts/catalogue.js";
import { el, select, setText } from "../kit/dom.js";
import { formatNumber, formatPercent } from "../kit/format.js";
import { tr } from "../kit/words.js";
import { CONFIG, LineChart, axisLook, logAxis, positiveExtent } from "../panels/chart.js";
import { DASHES, runColours } from "./panels.js";

/** A number as its kind is written. */
const written = ({ axis }, value) => (axis === "percent" ? formatPercent(value) : formatNumber(value));
const IN_TABLE = ["norm_mean", "nc1_pinv", "separation_ratio", "train_accuracy", "test_accuracy", "weight_abs_cv", "node_peak_distance_mean"];

/** The numbers that show what the page's text claims, of every run, right under it. */
export class Evidence {
  constructor() {
    this.element = el("dl", { class: "lpc-evidence", "aria-label": tr("Numbers"), testid: "lpc-evidence" });
    this.cells = [];
  }

  build(names, catalogue, panels) {
    this.cells = names.map((name) => ({ name, metric: catalogue.metric(name), values: panels.map(() => el("b", { text: "–" })) }));
    this.element.replaceChildren(...this.cells.map(({ metric, values }) => el("div", {}, el("dt", { text: metric.title }),
      ...panels.map((panel, i) => el("dd", {}, ...panel.named(), values[i])))));
    this.element.hidden = !names.length;
  }

  fill(panels) {
    for (const { name, metric, values } of this.cells) values.forEach((value, i) => setText(value, written(metric, panels[i].told[name])));
  }
}

export class CompareCurves extends LineChart {
  /** hooks: {clock, info(key), panels()} */
  constructor({ clock, info, panels }) {
    super(el("div", { class: "lpc-compare-chart", testid: "lpc-compare-chart" }), clock, { name: "compare", testid: "lpc-compare-x" });
    Object.assign(this, { panels, pick: "nc1_pinv", names: IN_TABLE, catalogue: new Catalogue(), revision: 0 });
    this.menu = el("div");
    this.table = el("table", { class: "lpc-compare-table", testid: "lpc-compare-table" });
    const head = el("header", { class: "lpc-head" }, this.menu, info("compare-chart"),
      el("div", { class: "lpc-tools" }, el("span", { class: "lpc-hint", text: tr("against") }), this.against));
    this.element = el("div", { class: "lpc-compare-below" },
      el("section", { class: "lpc-panel", "aria-label": tr("Curves") }, head, this.chart),
      el("section", { class: "lpc-panel lpc-compare-numbers", "aria-label": tr("Numbers") }, el("header", { class: "lpc-head" }, el("h2", { text: tr("Now") })), this.table));
  }

  /** The words of other runs, whose numbers the menu has. */
  explain(catalogue) {
    this.catalogue = catalogue;
    const names = catalogue.names(Object.keys(this.panels()[0].history.columns));
    const menu = select(tr("Number in the chart"), names.map((name) => [name, catalogue.metric(name).title]), this.pick, (name) => this.choose(name),
      { "data-testid": "lpc-compare-pick", class: "lpc-compare-pick" });
    this.menu.replaceWith(menu);
    this.menu = menu;
    this.buildTable();
    this.drawing.touch();
  }

  restyle(theme) {
    super.restyle(theme);
    this.buildTable();
  }

  choose(name) {
    this.pick = this.menu.value = name;
    if (this.names.includes(name)) this.markPick();
    else this.buildTable(IN_TABLE.includes(name) ? IN_TABLE : [...IN_TABLE.slice(0, -1), name]);
    this.drawing.touch();
  }

  /** A row for each run, a column for each number, the one in the chart among them (in the place of the last); a column's name puts it there. */
  buildTable(names = this.names) {
    this.names = names;
    this.heads = names.map((name) => {
      const { title, short } = this.catalogue.metric(name);
      return el("button", { type: "button", text: short, title: tr("Draw: {title}", { title }), on: { click: () => this.choose(name) } });
    });
    const head = el("tr", {}, el("th", { scope: "col", text: tr("run") }), ...this.heads.map((button) => el("th", { scope: "col" }, button)));
    this.cells = this.panels().map(() => names.map(() => el("td", { text: "–" })));
    const rows = this.panels().map((panel, r) => el("tr", {}, el("th", { scope: "row" }, ...panel.named()), ...this.cells[r]));
    this.table.replaceChildren(el("thead", {}, head), el("tbody", {}, ...rows));
    this.markPick();
  }

  markPick() {
    this.heads.forEach((button, i) => button.setAttribute("aria-pressed", String(this.names[i] === this.pick)));
  }

  fillTable() {
    if (this.cells?.length !== this.panels().length) return;
    this.panels().forEach(({ told }, r) => this.names.forEach((name, c) => setText(this.cells[r][c], written(this.catalogue.metric(name), told[name]))));
  }

  draw() {
    this.fillTable();
    if (!this.theme || !this.Plotly || !this.chart.clientWidth) return false;
    this.Plotly.react(this.gd, this.traces(), this.layout(), CONFIG);
    return true;
  }

  values(panel) {
    return panel.history.columns[this.pick] ?? [];
  }

  traces() {
    const colours = runColours(this.theme);
    return this.panels().map((panel, i) => ({
      type: "scatter", mode: "lines", name: panel.name, x: panel.history.columns[this.x], y: this.values(panel),
      connectgaps: true, line: { color: colours[i], dash: DASHES[i], width: 2 }, hovertemplate: "%{y:.3g}",
    }));
  }

  layout() {
    const { theme, chart } = this;
    const { axis } = this.catalogue.metric(this.pick);
    const common = axisLook(theme);
    const byGamma = this.x === "gamma";
    const gammas = positiveExtent(...this.panels().map((panel) => panel.history.columns.gamma));
    const vertical = axis === "percent" ? { range: [0, 1.03], tickformat: ".0%" } : axis === "linear" ? { rangemode: "tozero" }
      : logAxis(positiveExtent(...this.panels().map((panel) => this.values(panel))), 0.06);
    return {
      datarevision: ++this.revision, // the columns are the same arrays, grown
      width: chart.clientWidth, height: chart.clientHeight, margin: { l: 48, r: 10, t: 8, b: 34 }, showlegend: false, hovermode: "x unified", dragmode: false,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: theme.font, size: 12, color: theme.muted },
      hoverlabel: { bgcolor: theme.background, font: { family: theme.font, size: 12, color: theme.text } },
      xaxis: { ...common, showgrid: false, showline: true, title: { text: byGamma ? "γ" : tr("step"), standoff: 4 }, ...(byGamma ? logAxis(gammas, 0) : { rangemode: "tozero", tickformat: "~s" }) },
      yaxis: { ...common, nticks: 6, ...vertical },
    };
  }
}
