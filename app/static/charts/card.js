// One card: a heading with ⓘ and a save menu, a chart of fixed shape, and the sentence that reads it.

import { el, setText } from "../kit/dom.js";
import { coloured, layoutOf } from "./ink.js";
import { logTicks } from "./logticks.js";
import { formats, SaveMenu, saveTable } from "../controls/savemenu.js";
import { short } from "../kit/sharing.js";

const CONFIG = { displayModeBar: false, typesetMath: false, showTips: false, doubleClick: "reset" };
const SAVED_WIDTH = 900;

let serial = 0;

export class CardView {
  /** popover: the page's MetricPopover; changed() asks for a draw. */
  constructor(card, popover, changed) {
    Object.assign(this, { card, theme: null, drawn: "", Plotly: null, ticks: {}, listening: false, zoomedAxes: new Set(), linked: { off: new Set(), ranges: {} } });
    const id = `lpc-card-${++serial}`;
    this.title = el("h2", { id, text: card.title });
    this.info = popover.about(card.title, `lpc-card-info-${card.key}`, () => ({ title: this.card.title, text: this.card.about, metrics: this.card.metrics, more: this.card.more }));
    this.menu = new SaveMenu(card.title, `lpc-card-save-${card.key}`,
      formats((format) => `lpc-card-${format}-${card.key}`, (format) => this.savePicture(format), () => this.saveData()));
    this.caption = el("p", { class: "lpc-card-caption", id: `${id}-caption`, testid: `lpc-card-caption-${card.key}` });
    this.plot = el("div", { class: "lpc-fill-plot", role: "img", "aria-labelledby": id, "aria-describedby": `${id}-caption` });
    this.empty = el("p", { class: "lpc-card-empty" });
    this.frame = el("div", { class: "lpc-card-plot" }, this.plot, this.empty);
    const head = el("header", { class: "lpc-head" }, this.title, this.info, el("div", { class: "lpc-tools" }, this.menu.element));
    this.element = el("section", { class: "lpc-panel lpc-card", "aria-labelledby": id, testid: `lpc-card-${card.key}` }, head, this.frame, this.caption);
    this.observer = new ResizeObserver(() => changed());
    this.observer.observe(this.frame);
    this.update(card);
  }

  update(card) {
    this.card = card;
    this.figureKey = JSON.stringify(card.figure);
    setText(this.title, card.title);
    setText(this.caption, card.caption);
    setText(this.empty, card.empty);
    this.empty.hidden = !card.empty;
    this.element.classList.toggle("lpc-wide", card.wide);
    this.frame.style.setProperty("--lpc-aspect", String(1 / card.aspect));
    this.menu.list.lastChild.hidden = !card.csv;
  }

  /** Draws if anything changed since the last time; returns whether it did. */
  draw(Plotly, theme) {
    const [width, height] = [this.frame.clientWidth, this.frame.clientHeight];
    const key = `${width}×${height}|${theme.key}|${this.figureKey}`;
    if (!width || key === this.drawn) return false;
    Object.assign(this, { drawn: key, Plotly, theme });
    const { data, layout } = this.figure();
    Plotly.react(this.plot, coloured(data, theme), layoutOf(layout, theme, width, height, this.ticks), CONFIG);
    if (!this.listening) this.plot.on("plotly_relayout", (change) => this.zoomed(change));
    this.listening = true;
    this.tick();
    return true;
  }

  /** The lines that the legend has switched off, as "key.line". */
  get off() {
    return (this.plot.data ?? []).flatMap(({ visible }, i) => (visible === "legendonly" ? [`${this.card.key}.${i}`] : []));
  }

  /** The axes that a hand or a link has zoomed, as "key:axis:from:to" in the axis's own numbers. */
  get zooms() {
    const { _fullLayout: axes } = this.plot;
    return [...this.zoomedAxes].filter((name) => axes[name]).map((name) => [this.card.key, name.replace("axis", ""), ...axes[name].range.map(short)].join(":"));
  }

  /** A link wants a line off. Returns whether there is such a line. */
  switchOff(line) {
    if (line >= this.card.figure.data.length) return false;
    this.linked.off.add(line);
    this.drawn = "";
    return true;
  }

  /** A link wants an axis, "x" or "y2", zoomed. */
  zoomTo(axis, from, to) {
    const name = `${axis[0]}axis${axis.slice(1)}`;
    if (!this.plot._fullLayout?.[name]) return false;
    this.linked.ranges[name] = [from, to];
    this.zoomedAxes.add(name);
    this.drawn = "";
    return true;
  }

  /** The figure as a link wants it: Plotly keeps what hands do, not what we do. */
  figure() {
    const { card: { figure: { data, layout } }, linked: { off, ranges } } = this;
    const axes = Object.fromEntries(Object.entries(ranges).map(([name, range]) => [name, { ...layout[name], range, autorange: false }]));
    return { data: data.map((trace, i) => (off.has(i) ? { ...trace, visible: "legendonly" } : trace)), layout: { ...layout, ...axes } };
  }

  zoomed(change) {
    const ranges = Object.keys(change).map((name) => /^([xy]axis\d*)\.(range|autorange)/.exec(name)).filter(Boolean);
    for (const [, axis, what] of ranges) {
      if (what === "range") this.zoomedAxes.add(axis);
      else this.zoomedAxes.delete(axis);
    }
    if (ranges.length) this.tick();
  }

  /** Our own labels on logarithmic axes, for the range that is shown: Plotly's differ in size and crowd. */
  tick() {
    const changes = {};
    for (const [name, axis] of Object.entries(this.plot._fullLayout).filter(([key, value]) => /^[xy]axis\d*$/.test(key) && value.type === "log" && value.showticklabels)) {
      const [from, to] = [...axis.range].sort((a, b) => a - b);
      const ticks = logTicks(from, to, Math.min(axis.nticks || 7, axis._length / (name[0] === "x" ? 52 : 34)));
      if (String(ticks.tickvals) === String(this.ticks[name]?.tickvals)) continue;
      this.ticks[name] = ticks;
      Object.assign(changes, { [`${name}.tickvals`]: ticks.tickvals, [`${name}.ticktext`]: ticks.ticktext });
    }
    if (Object.keys(changes).length) this.Plotly.relayout(this.plot, changes);
  }

  /** The chart as a file, with its title and the page's background; the legend at the side, where nothing is in its way. */
  savePicture(format) {
    const { card: { key, title, figure, aspect }, theme } = this;
    if (!this.Plotly) return;
    const height = Math.round(SAVED_WIDTH * Math.min(1, Math.max(0.5, aspect))) + 50;
    const layout = layoutOf(figure.layout, theme, SAVED_WIDTH, height, this.ticks);
    Object.assign(layout, {
      paper_bgcolor: theme.background, title: { text: title, font: { size: 16, color: theme.text }, x: 0.5 },
      margin: { ...layout.margin, t: 56 }, legend: { ...layout.legend, orientation: "v", x: 1.06, y: 1, yref: "paper", yanchor: "top" },
    });
    this.Plotly.downloadImage({ data: coloured(figure.data, theme), layout, config: CONFIG },
      { format, width: SAVED_WIDTH, height, scale: format === "png" ? 2 : 1, filename: `lpc-lab-${key}` });
  }

  /** `csv` is the text, or a function that makes it. */
  saveData() {
    const { csv, key } = this.card;
    saveTable(typeof csv === "function" ? csv() : csv, key);
  }

  destroy() {
    this.observer.disconnect();
    if (this.Plotly) this.Plotly.purge(this.plot);
    this.element.remove();
  }
}
