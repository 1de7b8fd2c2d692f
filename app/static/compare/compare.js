// The comparison's stage: two to four runs on one connection, one row of controls, shared axes; what Streamlit mounts.

import { ChartClock } from "../kit/chartclock.js";
import { CompareCurves } from "./curves.js";
import { ComparePanel, partsOf } from "./panels.js";
import { SharedView } from "./view.js";
import { keeping } from "../kit/component.js";
import { el, loadStyles, segmented } from "../kit/dom.js";
import { GammaControl } from "../live/gamma.js";
import { buildLayers } from "../panels/layout.js";
import { LiveView } from "../live/view.js";
import { Notices } from "../live/notices.js";
import { Popover } from "../kit/popover.js";
import { Stats } from "../live/stats.js";
import { applyTheme, readTheme } from "../kit/theme.js";
import { Transport } from "../live/transport.js";
import { ViewControls } from "../live/viewcontrols.js";

class CompareStage extends LiveView {
  constructor(element, props) {
    super();
    Object.assign(this, { element, props, stats: new Stats(), info: null, setupInfo: null, raf: 0, panels: [], view: new SharedView() });
    this.root = el("div", { class: "lpc-root lpc-compare lpc-unstyled", testid: "lpc-stage" });
    this.popover = new Popover(this.root, () => this.setupInfo);
    this.clock = new ChartClock((name, ms) => this.stats.chartDrew(name, ms));
    this.build();
    element.append(this.root);
    element.lpcStage = this.root.lpcStage = { stats: () => this.stats.copy(), state: () => this.state(), send: (message) => this.send(message) };
    Promise.all([loadStyles(), loadStyles("compare.css")]).then(() => this.begin());
  }

  build() {
    const send = (message) => this.send(message);
    const info = (key, suffix) => this.popover.button(key, suffix);
    this.gamma = new GammaControl({ send, sent: (seq) => this.stats.gammaSent(seq), info });
    this.transport = new Transport(send, this.gamma);
    this.views = new ViewControls({ onView: () => this.sendView(), onZoom: (mode) => this.panels[0]?.latents.setZoom(mode) });
    this.views.zoom.select("follow");
    this.axes = segmented("Axes", [
      { value: true, text: "shared axes", title: "All panels show the same stretch of latent space", testid: "lpc-axes-shared" },
      { value: false, text: "own axes", title: "Each panel is zoomed to its own points", testid: "lpc-axes-own" },
    ], (shared) => this.shareAxes(shared), "lpc-axes");
    this.axes.select(true);
    const layers = el("div", { class: "lpc-layers", role: "group", "aria-label": "Drawn with the points" });
    this.layers = buildLayers(layers, info, () => this.requestDraw());
    this.layers.set("forces", false);
    this.legend = el("div", { class: "lpc-legend", role: "group", "aria-label": "Classes" });
    this.views.element.prepend(this.axes);
    const bar = el("div", { class: "lpc-compare-bar" }, el("div", { class: "lpc-keys" }, layers, this.legend), this.views.element);
    this.grid = el("div", { class: "lpc-runs" });
    this.curves = new CompareCurves({ clock: this.clock, panels: () => this.panels });
    const notices = el("div", { class: "lpc-notices" });
    const cover = el("div", { class: "lpc-cover", role: "status", testid: "lpc-cover" });
    this.notices = new Notices({ bar: notices, cover }, { reset: () => this.send({ type: "reset" }) });
    const body = el("div", { class: "lpc-compare-body" }, bar, this.grid, this.curves.element, cover);
    this.root.prepend(this.transport.element, notices, body);
  }

  usePlotly(Plotly) {
    this.Plotly = Plotly;
    for (const part of [...this.panels.map((panel) => panel.latents), this.curves]) part.usePlotly(Plotly);
  }

  /** What the arrow keys turn: the views in three dimensions, which turn together. */
  turning() {
    return this.panels.find((panel) => panel.latents.spin.active)?.latents.spin;
  }

  sendView() {
    this.send({ type: "view", ...this.views.view, large: [] });
  }

  /** Common axes or each panel's own. */
  shareAxes(shared) {
    this.axes.select(shared);
    this.view.setShared(shared);
    this.requestDraw();
  }

  setup(message) {
    const { info } = message;
    if (!info.panels) return; // a plain run: the page is about to be told of another
    this.setupInfo = info;
    this.info = null;
    const others = this.buildPanels(info);
    partsOf(message).forEach((part, i) => this.panels[i].setup(part));
    this.gamma.element.hidden = !info.follows.includes(true);
    this.gamma.setup(info);
    this.views.setup(Math.max(...info.panels.map(({ d }) => d)));
    if (others) this.begins();
    this.notices.loaded(info.run);
    this.curves.drawing.touch();
    this.send({ type: "ack", frame: info.frame });
    this.transport.sendSpeed();
    this.sendView();
  }

  /** Panels for other runs than before; returns whether there are any. */
  buildPanels({ titles, follows, n }) {
    const key = JSON.stringify([titles, follows, n]);
    if (key === this.panelsFor) return false;
    this.panelsFor = key;
    for (const panel of this.panels) panel.destroy();
    this.view.members = [];
    this.legend.replaceChildren();
    this.panels = titles.map((title, index) => new ComparePanel({
      index, title, follows: follows[index], legend: index ? el("div") : this.legend, controls: this.views, layers: () => this.layers.read(), group: this.view,
      hooks: { redraw: () => this.requestDraw(), wantThumbs: () => this.send({ type: "thumbs" }) },
    }));
    const { legendView } = this.panels[0].latents;
    legendView.changed = () => this.panels.forEach((panel) => panel.latents.refocus());
    for (const { latents } of this.panels) latents.legendView = legendView;
    this.grid.style.setProperty("--lpc-count", titles.length);
    this.grid.dataset.count = titles.length;
    this.grid.replaceChildren(...this.panels.map((panel) => panel.element));
    if (this.theme) this.panels.forEach((panel) => panel.restyle(this.theme));
    if (this.Plotly) this.panels.forEach((panel) => panel.latents.usePlotly(this.Plotly));
    if (this.theme) this.curves.restyle(this.theme);
    return true;
  }

  /** What this comparison begins with: shared or own axes, the projection, the number in the chart. */
  begins() {
    const { axes, projection, number } = this.props;
    this.shareAxes(axes !== "own");
    this.curves.choose(number || "nc1");
    const { d } = this.views;
    if (projection && d > 2) this.views.change({ projection, nodes: [0, 1], dims: 2 });
  }

  thumbs({ tensors }) {
    const [n] = tensors.pixels.shape;
    for (const { latents } of this.panels) if (latents.setupMessage?.info.n === n) latents.hover.setThumbs(tensors.pixels);
  }

  /** A frame came in: keep its numbers even if a newer one replaces it before it is drawn. */
  arrived({ info }) {
    if (!this.setupInfo || info.run !== this.setupInfo.run) return;
    this.stats.frames += 1;
    info.panels.forEach((own, i) => this.panels[i].record(own));
    this.curves.drawing.touch();
    this.requestDraw();
  }

  requestDraw() {
    if (!this.raf && !this.gone) this.raf = requestAnimationFrame((now) => this.draw(now));
  }

  draw(now) {
    this.raf = 0;
    const start = performance.now();
    const frame = this.setupInfo && this.socket?.take();
    if (frame && frame.info.run === this.setupInfo.run) this.show(frame, now);
    const gliding = this.view.advance(now);
    const more = this.panels.map((panel) => panel.latents.draw(now)).includes(true) || gliding;
    this.stats.drew(start);
    if (frame) this.stats.gammaShown(frame.info.gamma_seq);
    if (more) this.requestDraw();
  }

  show(frame, now) {
    const { info } = frame;
    this.info = info;
    partsOf(frame).forEach((part, i) => this.panels[i].show(part, now));
    this.gamma.update(info);
    this.transport.update(info, {});
    this.notices.frame(info);
    this.frameShown();
  }

  restyle() {
    const theme = readTheme(this.element, this.props.dark);
    const key = JSON.stringify(theme);
    if (key === this.themeKey) return;
    this.themeKey = key;
    this.theme = theme;
    applyTheme(this.root, theme);
    for (const part of [...this.panels, this.curves]) part.restyle(theme);
  }

  /** New props: another token reconnects, another theme repaints. */
  update(props) {
    const before = this.props;
    this.props = { ...before, ...props };
    if (!this.themeKey) return; // styles are still on their way
    this.restyle();
    if (this.props.name !== before.name && this.panels.length) this.begins();
    if (this.props.token !== before.token || this.props.wsPath !== before.wsPath) this.connect();
  }

  state() {
    const { info } = this;
    return {
      run: this.setupInfo?.run ?? null, step: info?.step ?? null, gamma: info?.gamma ?? null, mode: this.gamma.mode, state: info?.state ?? null,
      shared: this.view.shared, titles: this.setupInfo?.titles ?? [], follows: this.setupInfo?.follows ?? [], dark: this.theme?.dark ?? null,
      chart: this.curves.pick, panels: this.panels.map((panel) => panel.state()),
    };
  }

  destroy() {
    this.gone = true;
    cancelAnimationFrame(this.raf);
    clearTimeout(this.charts);
    this.socket?.close();
    this.stopKeys?.();
    this.popover.close();
    this.clock.stop();
    for (const part of [...this.panels, this.curves]) part.destroy();
    this.root.remove();
    delete this.element.lpcStage;
  }
}

/** Mounts a comparison in `element`; props: {wsPath, token, dark, plotlyUrl, name, axes, projection, number}. */
export function mount(element, props) {
  const stage = new CompareStage(element, props);
  return { update: (next) => stage.update(next), destroy: () => stage.destroy() };
}

export default keeping(mount);
