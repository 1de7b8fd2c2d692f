// The words of metrics and charts as the server sent them, and what the charts make of them: lines, axes, menus.

import { tr } from "../kit/words.js";

const WORDS = ["title", "short", "formula", "meaning", "unit", "about"];

/** A table of metrics or charts with its words in the reader's language. */
const inWords = (table) => Object.fromEntries(Object.entries(table).map(([name, told]) => [name, { ...told, ...Object.fromEntries(WORDS.filter((word) => told[word]).map((word) => [word, tr(told[word])])) }]));

const own = (table, key) => (Object.hasOwn(table, key) ? table[key] : undefined);

export class Catalogue {
  /** `sent`: {metrics: {name: {title, short, formula, meaning, unit, axis: log|linear|percent, theory}}, charts: {key: {title, about, metrics: [name]}}, phases: {name: what it means}}. */
  constructor({ metrics = {}, charts = {}, phases = {} } = {}) {
    Object.assign(this, { metrics: inWords(metrics), charts: inWords(charts) });
    this.phases = Object.fromEntries(Object.entries(phases).map(([name, meaning]) => [name, tr(meaning)]));
  }

  /** The words of a metric; of one that nobody explains, its bare name. */
  metric(name) {
    const title = name.replaceAll("_", " ");
    return { short: title, axis: "log", title, ...own(this.metrics, name) };
  }

  /** The chart of a key, or that of a metric's name: {title, about, theory: whether it shows a prediction, axis, lines: [{name, label, dash}]}. */
  chart(key) {
    const { title, about, metrics } = own(this.charts, key) ?? { ...this.metric(key), about: aboutOf(this.metric(key)), metrics: [key] };
    const shown = metrics.map((name) => this.metric(name));
    const lines = shown.map(({ short, theory }, i) => ({ name: metrics[i], label: short, dash: i === 0 ? "solid" : theory ? "dash" : "dot" }));
    return { title, about, axis: shown[0].axis, theory: shown.some(({ theory }) => theory), lines };
  }

  /** Menu of [key, title]: the standing charts, then every other metric of the history. */
  chartMenu(columns) {
    const keys = Object.keys(this.charts);
    const covered = new Set(["gamma", ...keys.flatMap((key) => this.charts[key].metrics)]);
    return [...keys, ...this.names(columns).filter((name) => !covered.has(name))].map((key) => [key, this.chart(key).title]);
  }

  /** The metrics among a history's columns: those that have words in the catalogue's order, then the others. */
  names(columns) {
    return [...Object.keys(this.metrics).filter((name) => columns.includes(name)), ...columns.filter((name) => name !== "step" && !own(this.metrics, name)).sort()];
  }
}

function aboutOf({ meaning, formula, unit }) {
  if (!meaning) return tr("One of the numbers measured along the run.");
  return `${meaning} ${unit ? tr("It is {formula}, in {unit}.", { formula, unit }) : tr("It is {formula}.", { formula })}`;
}
