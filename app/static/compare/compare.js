// The comparison's stage: two to four runs on one connection, one row of controls, shared axes; what Streamlit mounts.

import { keeping } from "../kit/component.js";
import { el, segmented, setText } from "../kit/dom.js";
import { partsOf } from "../kit/frames.js";
import { word } from "../kit/sharing.js";
import { tr } from "../kit/words.js";
import { LiveView, again, whose } from "../live/view.js";
import { ViewControls } from "../live/viewcontrols.js";
import { buildLayers } from "../panels/layout.js";
import { CompareCurves, Evidence } from "./curves.js";
import { ComparePanel } from "./panels.js";
import { SharedView } from "./view.js";

/** props: those of a live view, and {name, axes, projection, number, titles, evidence: names of metrics}. */
export class CompareStage extends LiveView {
  constructor(element, props) {
    super(element, props, { className: "lpc-compare", sheets: ["compare/compare.css"] });
  }

  build() {
    Object.assign(this, { panels: [], group: new SharedView() });
    this.views = new ViewControls({ onView: () => this.sendView(), onZoom: (mode) => this.panels[0]?.latents.setZoom(mode) });
    this.axes = segmented(tr("Axes"), [
      { value: true, text: tr("shared axes"), title: tr("All panels show the same stretch of latent space"), testid: "lpc-axes-shared" },
      { value: false, text: tr("own axes"), title: tr("Each panel is zoomed to its own points"), testid: "lpc-axes-own" },
    ], (shared) => this.shareAxes(shared), "lpc-axes");
    this.axes.select(true);
    const layers = el("div", { class: "lpc-layers", role: "group", "aria-label": tr("Drawn with the points") });
    this.layers = buildLayers(layers, this.about, () => this.request());
    this.layers.set("forces", false);
    this.legend = el("div", { class: "lpc-legend", role: "group", "aria-label": tr("Classes") });
    this.views.element.prepend(this.axes);
    this.data = el("span", { class: "lpc-data-name", testid: "lpc-data-name" });
    const bar = el("div", { class: "lpc-compare-bar" }, el("div", { class: "lpc-keys" }, this.data, this.about("compare"), layers, this.legend), this.views.element);
    this.grid = el("div", { class: "lpc-runs" });
    this.curves = new CompareCurves({ clock: this.clock, info: this.about, panels: () => this.panels });
    const body = el("div", { class: "lpc-compare-body" }, bar, this.grid, this.curves.element, this.notices.cover);
    this.evidence = new Evidence();
    this.root.prepend(this.evidence.element, this.transport.element, this.notices.bar, body);
  }

  parts() {
    return [...this.panels, this.curves];
  }

  usePlotly(Plotly) {
    this.Plotly = Plotly;
    for (const part of [...this.panels.map((panel) => panel.latents), this.curves]) part.usePlotly(Plotly);
  }

  get first() {
    return this.panels[0].latents;
  }

  usualView() {
    return this.views.d < 3 ? "" : this.props.projection === "nodes" ? "n0-1" : "pca2";
  }

  usualOff() {
    return ["forces"];
  }

  ownWords() {
    const shared = () => (this.group.shared ? "shared" : "own");
    return { axes: word(shared, () => this.props.axes ?? "shared", (text) => this.shareAxes(text === "shared")),
      curves: word(() => this.curves.pick, () => this.usualNumber(), (text) => this.curves.choose(text)) };
  }

  usualNumber() {
    return this.props.number || "nc1_pinv";
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
    this.group.setShared(shared);
    this.request();
  }

  setup(message) {
    const { info } = message;
    if (info.panels.length < 2) return; // a run alone: the page is about to be told of another
    this.setupInfo = info;
    this.info = null;
    const others = this.buildPanels(info);
    partsOf(message).forEach((part, i) => this.panels[i].setup(part));
    this.curves.explain(info.catalogue);
    this.gamma.element.hidden = !info.follows.includes(true);
    this.gamma.setup(info);
    this.views.setup(Math.max(...info.panels.map(({ d }) => d)));
    setText(this.data, tr(info.title));
    if (others) this.begins();
    this.showEvidence();
    this.ready(info);
  }

  /** Panels for other runs than before; returns whether there are any. */
  buildPanels({ titles, follows, n }) {
    const key = JSON.stringify([titles, follows, n]);
    if (key === this.panelsFor) return false;
    this.panelsFor = key;
    for (const panel of this.panels) panel.destroy();
    this.group.members = [];
    this.legend.replaceChildren();
    this.panels = titles.map((title, index) => new ComparePanel({
      index, title, follows: follows[index], legend: index ? el("div") : this.legend, controls: this.views, layers: this.layers, group: this.group,
      hooks: { redraw: () => this.request(), wantThumbs: () => this.send({ type: "thumbs" }) },
    }));
    const { legendView } = this.panels[0].latents;
    legendView.changed = () => this.panels.forEach((panel) => panel.latents.refocus());
    for (const { latents } of this.panels) latents.legendView = legendView;
    this.grid.dataset.count = titles.length;
    this.grid.replaceChildren(...this.panels.map((panel) => panel.element));
    if (this.theme) this.parts().forEach((part) => part.restyle(this.theme));
    if (this.Plotly) this.panels.forEach((panel) => panel.latents.usePlotly(this.Plotly));
    return true;
  }

  /** What this comparison begins with: shared or own axes, the projection, the number in the chart. */
  begins() {
    const { axes, projection } = this.props;
    this.shareAxes(axes !== "own");
    this.curves.choose(this.usualNumber());
    const { d } = this.views;
    if (projection && d > 2) this.views.change({ projection, nodes: [0, 1], dims: 2 });
  }

  /** The page's text, the runs and the theme may change in any order: no numbers until the runs are those of the text. */
  showEvidence() {
    if (!this.setupInfo) return;
    const { evidence = [], titles } = this.props;
    this.evidence.build(String(titles) === String(this.setupInfo.titles) ? evidence : [], this.setupInfo.catalogue, this.panels);
    this.evidence.fill(this.panels);
  }

  painted(theme) {
    super.painted(theme);
    this.showEvidence();
  }

  thumbs({ tensors }) {
    const [n] = tensors.pixels.shape;
    for (const { latents } of this.panels) if (latents.setupMessage?.info.n === n) latents.hover.setThumbs(tensors.pixels);
  }

  arrived(info) {
    info.panels.forEach((own, i) => this.panels[i].record(own));
    this.curves.drawing.touch();
  }

  drawViews(now) {
    const gliding = this.group.advance(now);
    return this.panels.map((panel) => panel.latents.draw(now)).includes(true) || gliding;
  }

  show(frame, now) {
    partsOf(frame).forEach((part, i) => this.panels[i].show(part, now));
    this.transport.setState(frame.info.state);
  }

  /** The words and numbers of one measured moment, of all runs. */
  tell(message) {
    partsOf(message).forEach((part, i) => this.panels[i].tell(part));
    this.gamma.tell(message.info.gamma);
    this.transport.tell(message.info);
    this.curves.fillTable();
    this.evidence.fill(this.panels);
  }

  update(props) {
    const { name } = this.props;
    super.update(props);
    if (!this.theme || this.props.name === name || !this.panels.length) return;
    this.begins();
    this.showEvidence();
  }

  state() {
    const { info } = this;
    return {
      run: this.setupInfo?.run ?? null, step: info?.step ?? null, gamma: info?.gamma ?? null, mode: this.gamma.mode, state: info?.state ?? null,
      shared: this.group.shared, titles: this.setupInfo?.titles ?? [], follows: this.setupInfo?.follows ?? [], dark: this.theme?.dark ?? null,
      chart: this.curves.pick, panels: this.panels.map((panel) => panel.state()),
    };
  }
}

export default keeping((element, data, component) => new CompareStage(element, { ...data, again: again(component) }), whose);
