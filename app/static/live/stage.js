// The stage: transport, latent view, nodes and curves on one live connection; what Streamlit mounts.

import { keeping } from "../kit/component.js";
import { setText } from "../kit/dom.js";
import { said, tr } from "../kit/words.js";
import { partsOf } from "../kit/frames.js";
import { Inputs } from "../inputs/inputs.js";
import { Linked } from "../kit/linked.js";
import { Latents } from "../latents/latents.js";
import { Curves } from "../panels/curves.js";
import { MANY_CLASSES, buildLayers, buildLayout, showTheory } from "../panels/layout.js";
import { Nodes } from "../panels/nodes.js";
import { panelWords } from "../kit/sharing.js";
import { addSaves } from "../panels/saves.js";
import { Tour } from "./tour.js";
import { LiveView, again, whose } from "./view.js";
import { ViewControls } from "./viewcontrols.js";

export class Stage extends LiveView {
  build() {
    const { about: info, clock } = this;
    const linked = (this.linked = new Linked());
    const wantThumbs = () => this.wantThumbs();
    this.views = new ViewControls({ onView: () => this.sendView(), onZoom: (mode) => this.latents.setZoom(mode) });
    this.inputs = new Inputs({ clock, linked, info, wantThumbs, focus: () => this.latents.legendView.focus, opened: () => this.sendView() });
    const part = (this.part = buildLayout({ transport: this.transport.element, viewTools: this.views.element, info, inputs: this.inputs, notices: this.notices }));
    this.layers = buildLayers(part.layers, info, () => this.request());
    this.latents = new Latents(
      { plot: part.plot, legend: part.legend, selection: part.selection, controls: this.views, layers: this.layers, linked },
      { redraw: () => this.request(), wantThumbs });
    this.nodes = new Nodes({ strip: part.strip, chart: part.nodesChart, note: part.nodesNote }, { clock, linked, sendLarge: () => this.sendView() });
    linked.hear(() => this.linked.active !== this.linkedTold && this.sendView());
    for (const event of ["pointerenter", "pointerleave"]) part.nodesChart.addEventListener(event, () => {
      this.overBars = event === "pointerenter";
      this.sendView();
    });
    this.curves = new Curves({ chart: part.curvesChart, tools: part.curvesTools }, { clock, info });
    addSaves(part, this, async () => this.plotly());
    this.root.prepend(...part.children);
    if (!this.props.tour) return;
    this.tour = new Tour(this.root, this.props.tour);
    this.inputs.toggle.after(this.tour.offer);
  }

  parts() {
    return [this.latents, this.inputs, this.nodes, this.curves];
  }

  usePlotly(Plotly) {
    for (const part of [this.latents, this.curves]) part.usePlotly(Plotly);
  }

  thumbs({ tensors }) {
    this.latents.hover.setThumbs(tensors.pixels);
    this.inputs.setThumbs(tensors.pixels);
  }

  /** Asks for the samples' pictures, once for each run and line; whether that was possible. */
  wantThumbs() {
    this.thumbsAsked ||= this.send({ type: "thumbs" });
    return this.thumbsAsked;
  }

  /** What the arrow keys turn: the view in three dimensions. */
  turning() {
    return this.latents.spin.active ? this.latents.spin : null;
  }

  /** Tells the server what is drawn, after every choice and every setup. Bars are told of samples that are linked, or about to be. */
  sendView() {
    this.linkedTold = this.linked.active;
    this.send({ type: "view", ...this.views.view, large: this.nodes.large, regions: this.inputs.wantsRegions, bins: Boolean(this.overBars) || this.linkedTold });
  }

  setup(message) {
    const { info } = message;
    const [own] = partsOf(message);
    this.setupInfo = info;
    this.info = this.own = this.said = null;
    showTheory(this.part, info);
    if (info.K !== this.layersFor) this.layers.set("forces", info.K <= MANY_CLASSES);
    this.layersFor = info.K;
    this.thumbsAsked = false;
    if (!this.begun) this.inputs.begin(this.root);
    for (const part of this.parts()) part.setup(own);
    this.gamma.setup(info);
    this.views.setup(info.d);
    setText(this.part.sentence, "");
    setText(this.part.data, tr(info.title));
    this.ready(info);
  }

  get first() {
    return this.latents;
  }

  usualView() {
    return this.views.d > 2 ? "pca2" : "";
  }

  usualOff() {
    return this.setupInfo.K > MANY_CLASSES ? ["forces"] : [];
  }

  ownWords() {
    const { curves, nodes, inputs } = this;
    return { ...panelWords(curves, nodes), inputs: [() => (inputs.chosen === null ? "" : inputs.open ? "open" : "closed"), (text) => inputs.show(inputs.chosen = text === "open")] };
  }

  arrived({ panels: [own], ...group }) {
    this.curves.record({ ...group, ...own });
  }

  drawViews(now) {
    return this.latents.draw(now);
  }

  show(frame, now) {
    const [own] = partsOf(frame);
    this.own = own.info;
    this.latents.push(own, now);
    this.nodes.push(own);
    this.inputs.push(own);
    this.transport.setState(own.info.state);
  }

  /** The words and numbers of one measured moment, in every place. */
  tell(message) {
    const [own] = partsOf(message);
    this.said = own.info;
    this.gamma.tell(own.info.gamma);
    this.transport.tell(own.info);
    this.part.sentence.setAttribute("aria-live", own.info.state === "running" ? "off" : "polite");
    setText(this.part.sentence, said(own.info.sentence));
    this.curves.tell(own.info);
    this.nodes.tell(own);
    this.inputs.tell(own);
    this.latents.tell(own.info);
  }

  destroy() {
    super.destroy();
    this.tour?.leave();
  }

  state() {
    const { current, camera, axes } = this.latents;
    const { info } = this;
    return {
      run: this.setupInfo?.run ?? null, step: info?.step ?? null, gamma: info?.gamma ?? null, gammaShown: this.gamma.value,
      mode: this.gamma.mode, state: info?.state ?? null, radius: current?.scene.norm_mean ?? null, predictedRadius: current?.scene.predicted_radius ?? null,
      halfRange: camera.half, zoom: camera.mode, dims: current?.scene.p ?? null, yaw: this.latents.spin.yaw, projection: this.own?.projection ?? null, range: axes.drawn ? axes.range : null,
      dark: this.latents.theme?.dark ?? null, metrics: { ...this.curves.history.latest }, points: this.curves.history.length, sentence: this.part.sentence.textContent,
      pointed: this.linked.pointed, chosen: this.linked.chosen?.reduce((sum, flag) => sum + flag, 0) ?? 0, inputs: this.inputs.state(),
      said: this.said && { step: this.said.step, radius: this.said.norm_mean, metrics: { ...this.said.metrics } },
    };
  }
}

export default keeping((element, data, component) => new Stage(element, { ...data, again: again(component) }), whose);
