// The curves against γ at one moment of a film: Plotly draws fixed axes once, a canvas draws lines, marks and cursor.

import { axisName, positiveExtent } from "../panels/chart.js";
import { Curves } from "../panels/curves.js";
import { clip, fit, line } from "../kit/canvas.js";
import { el, within } from "../kit/dom.js";
import { tr } from "../kit/words.js";

export class FilmCurves extends Curves {
  /** hooks: {clock, info(key), pick(γ)}: a press or drag in a chart chooses γ. */
  constructor(parts, { clock, info, pick }) {
    super(parts, { clock, info });
    Object.assign(this, { film: null, at: [0, 0], x: "gamma" });
    this.tools.replaceChildren();
    this.canvas = el("canvas", { class: "lpc-film-lines", role: "img", "aria-label": tr("Curves against γ"), testid: "lpc-film-lines" });
    this.chart.insertBefore(this.canvas, this.heads);
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.choose(event, pick);
    });
    this.canvas.addEventListener("pointermove", (event) => event.buttons & 1 && this.choose(event, pick));
  }

  open(film) {
    this.film = film;
    this.history.columns = film.against(film.T - 1);
    this.history.length = film.G;
    this.explain(film.catalogue);
  }

  /** Run g at frame t: lines of that moment, cursor at that γ. Cheap enough for every animation frame. */
  show(g, t) {
    this.at = [g, t];
    this.history.columns = this.film.against(t);
    this.told = this.film.row(g, t);
    this.paint();
  }

  swap(slot, key) {
    this.drawn = false;
    super.swap(slot, key);
  }

  draw() {
    if (!this.film) return false;
    const done = super.draw();
    if (done) this.boxes = this.picks.map((_, slot) => this.box(slot));
    this.drawn ||= done;
    this.paint();
    return done;
  }

  /** Traces that draw nothing: they only make Plotly draw the axes, a linear one as far as the whole film's values go. */
  traces() {
    return this.charts().map(({ lines }, slot) => {
      const y = lines.flatMap(({ name }) => endsOf(this.film.metric(name) ?? []));
      return { type: "scatter", mode: "none", x: y.map(() => this.film.gammas[0]), y, hoverinfo: "skip", xaxis: axisName("x", slot), yaxis: axisName("y", slot) };
    });
  }

  /** The whole film's range, so that scrubbing time moves the lines and not the axes. */
  extent(slot) {
    return positiveExtent(...this.charts()[slot].lines.map(({ name }) => this.film.metric(name) ?? []));
  }

  paint() {
    if (!this.drawn || !this.film || !this.theme) return;
    const [w, h] = this.size;
    const ctx = fit(this.canvas, w, h);
    this.charts().forEach((chart, slot) => this.paintChart(ctx, chart, slot));
    this.fillHeads();
  }

  paintChart(ctx, chart, slot) {
    const { x0, x1, y0, y1 } = this.boxes[slot];
    clip(ctx, { x: x0 - 4, y: y0 - 4, w: x1 - x0 + 8, h: y1 - y0 + 8 });
    this.paintMarks(ctx, slot, y0, y1);
    chart.lines.forEach((one, index) => this.paintLine(ctx, this.history.columns[one.name] ?? [], this.lineStyle(index, one.dash), slot));
    ctx.restore();
  }

  axesOf(slot) {
    const layout = this.gd._fullLayout;
    return [layout[axisName("xaxis", slot)], layout[axisName("yaxis", slot)]];
  }

  xOf(slot, gamma) {
    const [x] = this.axesOf(slot);
    return x._offset + x.d2p(gamma);
  }

  paintMarks(ctx, slot, y0, y1) {
    const { theme, film, at: [g, t] } = this;
    const { onset, total } = film.marks(t);
    const vertical = (gamma, colour, width) => {
      const x = Math.round(this.xOf(slot, gamma)) + 0.5;
      ctx.strokeStyle = colour;
      ctx.lineWidth = width;
      line(ctx, x, y0, x, y1);
    };
    if (total) {
      const [x, right] = [this.xOf(slot, total), this.boxes[slot].x1];
      ctx.globalAlpha = theme.dark ? 0.16 : 0.09;
      ctx.fillStyle = theme.force.inward;
      ctx.fillRect(x, y0, right - x, y1 - y0);
      ctx.globalAlpha = 1;
      vertical(total, theme.force.inward, 1.5);
    }
    if (onset) vertical(onset, theme.force.along, 1.5);
    ctx.globalAlpha = 0.65;
    vertical(film.gammas[g], theme.text, 1);
    ctx.globalAlpha = 1;
  }

  paintLine(ctx, values, { color, dash, width }, slot) {
    const [x, y] = this.axesOf(slot);
    const points = Array.from(this.film.gammas, (gamma, g) => [x._offset + x.d2p(gamma), values[g] === undefined ? NaN : y._offset + y.d2p(values[g])]);
    ctx.strokeStyle = ctx.fillStyle = color;
    ctx.lineWidth = width;
    ctx.setLineDash(dash === "dash" ? [6, 4] : dash === "dot" ? [2, 3] : []);
    ctx.beginPath();
    let drawing = false;
    for (const [px, py] of points) {
      if (Number.isFinite(py)) ctx[drawing ? "lineTo" : "moveTo"](px, py);
      drawing = Number.isFinite(py);
    }
    ctx.stroke();
    ctx.setLineDash([]);
    const [px, py] = points[this.at[0]];
    if (!Number.isFinite(py)) return;
    ctx.beginPath();
    ctx.arc(px, py, 3.5, 0, 2 * Math.PI);
    ctx.fill();
  }

  choose(event, pick) {
    if (!this.drawn) return;
    const [x, y] = within(this.canvas, event);
    const slot = this.picks.findIndex((_, i) => {
      const { x0, x1, y0, y1 } = this.boxes[i];
      return x > x0 - 12 && x < x1 + 12 && y > y0 - 6 && y < y1 + 6;
    });
    if (slot < 0) return;
    const [axis] = this.axesOf(slot);
    pick(10 ** axis.p2l(x - axis._offset));
  }
}

/** The smallest and the largest of the values that are numbers. */
function endsOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return [low, high];
}
