// The latent view's axes: Plotly draws ticks, grid, pan, zoom, lasso and export; the points go on a canvas above. Until it
// has arrived nothing is drawn in the same area, so that the points move at once.

import { tr } from "../kit/words.js";

/** Around the plot area of a view so wide; at the right there is room for the ruler, with its words where that leaves enough. */
const margins = (width) => ({ l: 46, r: width > 360 ? 54 : 26, t: 10, b: 40 });

const UNIT = [[-1, 1], [-1, 1]];

export class Axes {
  /** handlers: {userZoom(), follow(), selected(points|null), exportImage(format)} */
  constructor(host, handlers) {
    Object.assign(this, { Plotly: null, host, handlers, traces: [], theme: null, titles: ["z₁", "z₂"], range: null, half: null, drawn: false });
  }

  use(Plotly) {
    Object.assign(this, { Plotly, half: null });
    if (this.theme) this.draw();
  }

  /** Whether it is known where the points go. */
  get ready() {
    return this.drawn || !this.Plotly;
  }

  config() {
    const button = (name, title, path, format) => ({
      name, title, icon: { width: 24, height: 24, path }, click: () => this.handlers.exportImage(format),
    });
    return {
      displaylogo: false, typesetMath: false, responsive: false, doubleClick: false, scrollZoom: true, showTips: false,
      modeBarButtons: [["pan2d", "zoom2d", "lasso2d", "zoomIn2d", "zoomOut2d",
        button("png", tr("Save as PNG"), "M4 4h16v16H4zM6 17h12l-4-5-3 3.500-2-2z", "png"),
        button("svg", tr("Save as SVG"), "M12 3v10l4-4 1.500 1.500L12 16l-5.500-5.500L8 9l3 3V3zM4 18h16v2H4z", "svg")]],
    };
  }

  layout() {
    const { theme, host, titles } = this;
    const [x, y] = (this.range ?? UNIT).map((side) => [...side]);
    const axis = (title) => ({
      title: { text: title, font: { size: 13 }, standoff: 6 }, gridcolor: theme.grid, zerolinecolor: theme.line,
      zerolinewidth: 1, tickfont: { size: 11 }, nticks: 7, exponentformat: "power", autorange: false, fixedrange: false,
    });
    return {
      width: host.clientWidth, height: host.clientHeight, margin: margins(host.clientWidth), showlegend: false, hovermode: false,
      dragmode: this.dragmode || "pan", paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: theme.font, color: theme.muted, size: 12 }, newselection: { line: { color: theme.text } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: theme.muted, activecolor: theme.text },
      xaxis: { ...axis(titles[0]), range: x },
      yaxis: { ...axis(titles[1]), range: y, scaleanchor: "x" },
    };
  }

  /** Draws axes and whatever traces were handed over. */
  draw(theme = this.theme) {
    this.theme = theme;
    if (!this.Plotly || !this.host.clientWidth) return;
    // Configured once: react() takes other buttons' closures for a new config, and builds the plot anew.
    this.Plotly.react(this.host, this.traces, this.layout(), this.drawn ? undefined : this.config());
    if (!this.drawn) this.listen();
    this.drawn = true;
  }

  listen() {
    const { host, handlers } = this;
    host.on("plotly_relayouting", () => this.moved());
    host.on("plotly_relayout", (change) => {
      if (change.dragmode) this.dragmode = change.dragmode;
      if ("xaxis.range[0]" in change || "yaxis.range[0]" in change) this.moved(); // ours say "xaxis.range"
    });
    host.on("plotly_doubleclick", () => handlers.follow());
    host.on("plotly_selected", (event) => handlers.selected(event?.points ?? null));
    host.on("plotly_deselect", () => handlers.selected(null));
  }

  moved() {
    const { xaxis, yaxis } = this.host._fullLayout;
    this.half = null;
    this.range = [[...xaxis.range], [...yaxis.range]];
    this.handlers.userZoom();
  }

  /** The plot area in pixels and where the axes are looking: {rect, cx, cy, scale}. */
  where() {
    const { rect, range: [[x0, x1], [y0, y1]] } = this.drawn ? plotted(this.host._fullLayout) : { rect: this.rect, range: this.range ?? UNIT };
    return { rect, cx: (x0 + x1) / 2, cy: (y0 + y1) / 2, scale: rect.w / (x1 - x0) };
  }

  /** The plot area as Plotly will have it. */
  get rect() {
    const { clientWidth: w, clientHeight: h } = this.host;
    const { l, r, t, b } = margins(w);
    return { x: l, y: t, w: w - l - r, h: h - t - b };
  }

  /** Looks at the origin, or at (cx, cy), `half` units to the nearer edge. */
  lookAt(half, cx = 0, cy = 0) {
    const { rect } = this.where();
    const side = Math.min(rect.w, rect.h);
    const [rx, ry] = [(half * rect.w) / side, (half * rect.h) / side];
    this.see([[cx - rx, cx + rx], [cy - ry, cy + ry]]);
    this.half = cx || cy ? null : half; // about the origin
  }

  /** Looks at [[x0, x1], [y0, y1]]. */
  see(range) {
    Object.assign(this, { range, half: null });
    if (this.drawn) this.Plotly.relayout(this.host, { "xaxis.range": [...range[0]], "yaxis.range": [...range[1]] });
  }

  /** Shifts by (dx, dy) pixels and zooms by `factor` about (x, y), by hand. */
  moveBy(dx, dy, factor, x, y) {
    const { rect, cx, cy, scale } = this.where();
    const [ax, ay] = [cx + (x - rect.x - rect.w / 2) / scale, cy - (y - rect.y - rect.h / 2) / scale]; // what lies under the fingers
    const [mx, my] = [ax + (cx - ax) / factor - dx / scale / factor, ay + (cy - ay) / factor + dy / scale / factor];
    const [rx, ry] = [rect.w / 2 / scale / factor, rect.h / 2 / scale / factor];
    this.see([[mx - rx, mx + rx], [my - ry, my + ry]]);
    this.handlers.userZoom();
  }

  setTitles(titles) {
    if (String(titles) === String(this.titles)) return;
    this.titles = titles;
    if (this.drawn) this.draw();
  }

  setTraces(traces) {
    if (!traces.length && !this.traces.length) return;
    this.traces = traces;
    this.draw();
  }

  resize() {
    const { host } = this;
    this.half = null;
    if (!this.drawn) return this.theme && this.draw();
    this.Plotly.relayout(host, { width: host.clientWidth, height: host.clientHeight, margin: margins(host.clientWidth) });
  }

  destroy() {
    if (this.drawn) this.Plotly.purge(this.host);
  }
}

const plotted = ({ xaxis: x, yaxis: y }) => ({ rect: { x: x._offset, y: y._offset, w: x._length, h: y._length }, range: [x.range, y.range] });
