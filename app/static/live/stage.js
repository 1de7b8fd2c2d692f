// The stage: transport, latent view, nodes and curves on one live connection; what Streamlit mounts.

import { ChartClock } from "../kit/chartclock.js";
import { keeping } from "../kit/component.js";
import { Curves } from "../panels/curves.js";
import { el, loadStyles, setText } from "../kit/dom.js";
import { GammaControl } from "./gamma.js";
import { Latents } from "../latents/latents.js";
import { buildLayers, buildLayout } from "../panels/layout.js";
import { LiveView } from "./view.js";
import { Nodes } from "../panels/nodes.js";
import { Notices } from "./notices.js";
import { Popover } from "../kit/popover.js";
import { Stats } from "./stats.js";
import { applyTheme, readTheme } from "../kit/theme.js";
import { Transport } from "./transport.js";
import { ViewControls } from "./viewcontrols.js";

const SENTENCE_MS = 1_500; // no faster than it can be read
const MANY_CLASSES = 12;

class Stage extends LiveView {
  constructor(element, props) {
    super();
    Object.assign(this, { element, props, stats: new Stats(), info: null, setupInfo: null, raf: 0, said: 0, lastInfo: null });
    this.root = el("div", { class: "lpc-root lpc-unstyled", testid: "lpc-stage" });
    this.popover = new Popover(this.root, () => this.setupInfo);
    this.clock = new ChartClock((name, ms) => this.stats.chartDrew(name, ms));
    this.build();
    element.append(this.root);
    element.lpcStage = this.root.lpcStage = this.door();
    loadStyles().then(() => this.begin());
  }

  build() {
    const send = (message) => this.send(message);
    const info = (key, suffix) => this.popover.button(key, suffix);
    this.gamma = new GammaControl({ send, sent: (seq) => this.stats.gammaSent(seq), info });
    this.transport = new Transport(send, this.gamma);
    this.views = new ViewControls({ onView: () => this.sendView(), onZoom: (mode) => this.latents.setZoom(mode) });
    const part = (this.part = buildLayout({ transport: this.transport.element, viewTools: this.views.element, info }));
    this.layers = buildLayers(part.layers, info, () => this.requestDraw());
    this.latents = new Latents(
      { plot: part.plot, legend: part.legend, selection: part.selection, controls: this.views, layers: () => this.layers.read() },
      { redraw: () => this.requestDraw(), wantThumbs: () => this.send({ type: "thumbs" }) });
    this.nodes = new Nodes({ strip: part.strip, chart: part.nodesChart, note: part.nodesNote }, { clock: this.clock, sendLarge: () => this.sendView() });
    this.curves = new Curves({ chart: part.curvesChart, tools: part.curvesTools }, { clock: this.clock, info });
    this.notices = new Notices({ bar: part.notices, cover: part.cover }, { reset: () => this.send({ type: "reset" }) });
    this.views.zoom.select("follow");
    this.root.prepend(...part.children);
  }

  usePlotly(Plotly) {
    for (const part of [this.latents, this.curves]) part.usePlotly(Plotly);
  }

  thumbs({ tensors }) {
    this.latents.hover.setThumbs(tensors.pixels);
  }

  /** What the arrow keys turn: the view in three dimensions. */
  turning() {
    return this.latents.spin.active ? this.latents.spin : null;
  }

  /** What is drawn, told to the server; the hook's owner calls it after every choice and every setup. */
  sendView() {
    this.send({ type: "view", ...this.views.view, large: this.nodes.large });
  }

  setup(message) {
    const { info } = message;
    this.setupInfo = info;
    this.info = null;
    this.showTheory(info);
    for (const part of [this.latents, this.nodes, this.curves]) part.setup(message);
    this.gamma.setup(info);
    this.views.setup(info.d);
    this.notices.loaded(info.run);
    this.sayNow("");
    this.send({ type: "ack", frame: info.frame });
    this.transport.sendSpeed();
    this.sendView();
  }

  /** Which overlays this run can have; with very many classes arrows would hide the points. */
  showTheory({ theory, theory_note: note, K }) {
    this.part.layers.classList.toggle("lpc-no-theory", !theory);
    this.part.theoryNote.hidden = theory;
    setText(this.part.theoryNote, theory ? "" : `No predicted points in this run. ${note}`);
    if (K !== this.layersFor) this.layers.set("forces", K <= MANY_CLASSES);
    this.layersFor = K;
  }

  /** A frame came in: keep its metrics even if a newer one replaces it before it is drawn. */
  arrived({ info }) {
    if (!this.setupInfo || info.run !== this.setupInfo.run) return;
    this.stats.frames += 1;
    this.curves.record(info);
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
    const more = this.latents.draw(now);
    this.stats.drew(start);
    if (frame) this.stats.gammaShown(frame.info.gamma_seq);
    if (more) this.requestDraw();
  }

  show(frame, now) {
    const { info } = (this.lastFrame = frame);
    this.info = info;
    this.latents.push(frame, now);
    this.nodes.push(frame);
    this.gamma.update(info);
    this.transport.update(info, this.curves.history.latest);
    this.notices.frame(info);
    this.say(info.sentence);
    this.frameShown();
  }

  /** The sentence over the panels changes slowly enough to be read. */
  say(sentence) {
    clearTimeout(this.later);
    if (!sentence || sentence === this.part.sentence.textContent) return;
    const wait = this.said + SENTENCE_MS - performance.now();
    if (wait > 0) this.later = setTimeout(() => this.sayNow(sentence), wait);
    else this.sayNow(sentence);
  }

  sayNow(sentence) {
    this.said = performance.now();
    setText(this.part.sentence, sentence);
  }

  restyle() {
    const theme = readTheme(this.element, this.props.dark);
    const key = JSON.stringify(theme);
    if (key === this.themeKey) return;
    this.themeKey = key;
    applyTheme(this.root, theme);
    for (const part of [this.latents, this.nodes, this.curves]) part.restyle(theme);
  }

  /** New props: another token reconnects, another theme repaints. */
  update(props) {
    const before = this.props;
    this.props = { ...before, ...props };
    if (!this.themeKey) return; // styles are still on their way
    this.restyle();
    if (this.props.token !== before.token || this.props.wsPath !== before.wsPath) this.connect();
  }

  /** For tests and benchmarks: `stats()`, `state()` (both copies) and `send(message)`. */
  door() {
    return { stats: () => this.stats.copy(), state: () => this.state(), send: (message) => this.send(message) };
  }

  state() {
    const { current, camera, handed, axes } = this.latents;
    const { info } = this;
    return {
      run: this.setupInfo?.run ?? null, step: info?.step ?? null, gamma: info?.gamma ?? null, gammaShown: this.gamma.value, gammaSeq: info?.gamma_seq ?? null,
      mode: this.gamma.mode, state: info?.state ?? null, radius: current?.scene.radius ?? null, predictedRadius: current?.scene.predictedRadius ?? null,
      radiusPx: current ? current.scene.radius * current.mapping.scale : null, halfRange: camera.half, zoom: camera.mode, dims: current?.scene.p ?? null, yaw: this.latents.spin.yaw,
      projection: info?.projection ?? null, nodes: info?.nodes ?? [], large: [...this.nodes.large], handedToPlotly: handed, range: axes?.range ?? null,
      dark: this.latents.theme?.dark ?? null, metrics: { ...this.curves.history.latest }, points: this.curves.history.length, sentence: this.part.sentence.textContent,
    };
  }

  destroy() {
    this.gone = true;
    cancelAnimationFrame(this.raf);
    clearTimeout(this.later);
    clearTimeout(this.charts);
    this.socket?.close();
    this.stopKeys?.();
    this.popover.close();
    this.clock.stop();
    for (const part of [this.latents, this.nodes, this.curves]) part.destroy();
    this.root.remove();
    delete this.element.lpcStage;
  }
}

/** Mounts a stage in `element`; props: {wsPath, token, dark, plotlyUrl}. */
export function mount(element, props) {
  const stage = new Stage(element, props);
  return { update: (next) => stage.update(next), destroy: () => stage.destroy() };
}

export default keeping(mount);
