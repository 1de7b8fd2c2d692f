// A point cloud to look into: pan, zoom, turn, filter, hover, choose, and see where the head's classes would fall.

import { keeping } from "../kit/component.js";
import { el, setText } from "../kit/dom.js";
import { classColours } from "../kit/palette.js";
import { Part, sayCover } from "../kit/part.js";
import { Popover } from "../kit/popover.js";
import { join } from "../kit/sharing.js";
import { tr } from "../kit/words.js";
import { Legend } from "../latents/legend.js";
import { buffers } from "../latents/mapping.js";
import { CloudCamera } from "./camera.js";
import { Choice } from "./choice.js";
import { CloudFile } from "./file.js";
import { CloudGamma } from "./gamma.js";
import { Hands } from "./hands.js";
import { cloudWords } from "./linkwords.js";
import { CloudPicture } from "./picture.js";
import { CloudTools } from "./tools.js";
import { CloudTip, statusOf } from "./words.js";

export class Cloud extends Part {
  /** props: {cloudUrl, nodesUrl, imagesUrl, theoryUrl, pointsUrl, projections, offers, dark, group, name, share, moment: of its link}; tell(state, value) reaches the page. */
  constructor(element, props, tell) {
    super(element, props, { className: "lpc-cloud", testid: "lpc-cloud", sheets: ["cloud/cloud.css"] });
    Object.assign(this, { tell, file: null, axes: null, hover: -1, path: null, afterLook: [] });
    this.popover = new Popover(this.root);
    this.camera = new CloudCamera();
    this.choice = new Choice({ tell: (report) => tell("selection", { ...report, of: this.props.cloudUrl }), changed: () => this.refresh(), pointed: (i) => this.ring(i) });
    this.build();
    this.root.lpcCloud = { state: () => this.state(), cloud: this };
    this.begin();
  }

  build() {
    const info = (key) => this.popover.button(key);
    this.surface = el("div", { class: "lpc-surface lpc-cloud-surface", tabindex: "0", role: "application", testid: "lpc-cloud-surface",
      "aria-label": tr("Latent points by class. Arrow keys move or turn, plus and minus zoom, 0 shows everything, L lasso, B box, Escape clears the choice.") });
    this.plot = el("div", { class: "lpc-plot lpc-cloud-plot", testid: "lpc-cloud-plot" });
    this.picture = new CloudPicture(this.plot, this.camera, () => this.request());
    this.plot.append(this.surface);
    this.tip = new CloudTip(this.plot, "lpc-cloud-tip");
    this.status = el("span", { class: "lpc-cloud-status", role: "status", testid: "lpc-cloud-status" });
    this.cover = el("div", { class: "lpc-cover", role: "status", testid: "lpc-cloud-cover" });
    this.gamma = new CloudGamma({ info, moved: () => this.request() });
    const hooks = { info, ...this.hooks() };
    this.tools = new CloudTools(hooks);
    this.hands = new Hands(this.surface, hooks);
    const legend = el("div", { class: "lpc-legend", role: "group", "aria-label": tr("Classes") });
    this.legend = new Legend(legend, () => this.refresh());
    const head = el("header", { class: "lpc-head" }, el("h2", { text: this.props.name || tr("Latents") }), info("cloud"), this.tools.handles, this.tools.view, this.shareButton());
    const choice = el("div", { class: "lpc-cloud-choice" }, this.status, this.tools.choice);
    this.root.prepend(el("section", { class: "lpc-panel lpc-cloud-panel" }, head, this.plot, choice,
      el("div", { class: "lpc-keys" }, this.tools.layerChips, legend), this.gamma.element, this.cover));
    this.observer = new ResizeObserver(() => this.picture.resize());
    this.observer.observe(this.plot);
    sayCover(this.cover, tr("Loading the points…"));
  }

  /** What buttons and hands do. */
  hooks() {
    const { camera, choice } = this;
    return {
      look: (sight) => this.look(sight), layers: () => this.request(), want: (kind) => this.tell("wanted", kind), picture: () => this.picture.save(),
      tool: () => this.tools.tool, use: (tool) => this.tools.use(tool), used: (tool) => this.plot.classList.toggle("lpc-cloud-drawing", tool !== "move"),
      deep: () => camera.deep, pan: (dx, dy) => this.moved(() => camera.pan(dx, dy)), turn: (dx, dy) => this.moved(() => camera.turn(dx, dy)),
      zoom: (factor, x, y) => this.moved(() => camera.zoom(factor, x, y)), home: () => this.moved(() => camera.reset()),
      choose: (what) => choice.choose(what), clear: () => choice.take(null),
      point: (x, y) => this.point(x, y), click: (x, y, how) => this.click(x, y, how), region: (path, done, how) => this.region(path, done, how),
    };
  }

  /** Styles and points, then the first picture. */
  async begin() {
    if (await this.styled()) await this.attempt(async () => this.open(await CloudFile.open(() => this.props)));
  }

  /** Runs `work`; a failure is said on the picture. */
  async attempt(work) {
    try {
      await work();
    } catch (error) {
      if (!this.gone) sayCover(this.cover, tr("{error}; reload the page or open the file again.", { error: error.message }), true);
    }
  }

  async open(file) {
    await file.learn();
    if (this.gone) return;
    this.file = file;
    this.picture.open(file);
    this.choice.open(file, this.props.group);
    this.recolour();
    this.gamma.open(file);
    this.tools.open(file, this.props);
    await this.look(this.tools.sight);
    this.takeUp();
  }

  /** Where a link wants it, as soon as there is something to see. */
  takeUp() {
    if (this.share && this.axes && !this.gone) join(this, cloudWords(this));
  }

  /** Other axes: {kind, nodes, dims}; or `again` those drawn, seen as they are, with what has become known since. */
  async look({ kind, nodes, dims }, again = false) {
    const asked = (this.asked = {});
    await this.attempt(async () => {
      const axes = await this.file.axes(kind, nodes, dims);
      if (this.gone || asked !== this.asked) return;
      const { n, G, K } = this.file;
      const same = again && n && String(axes.titles) === String(this.axes?.titles);
      this.axes = this.picture.axes = axes;
      if (!same) this.picture.look(n || !axes.points || !G ? axes.xyz : this.gamma.columns(axes.points, K)); // of a head alone its points
      for (const change of this.afterLook.splice(0)) this.moved(change);
      this.gamma.allow(Boolean(axes.points));
      sayCover(this.cover, "");
      this.refresh();
    });
  }

  /** A movement of the camera by hand. */
  moved(change) {
    if (!this.axes) return;
    this.tip.hide();
    this.picture.move(change);
  }

  /** Another choice, other classes kept bright, or other axes. */
  refresh() {
    if (!this.axes) return;
    const { count, flags } = this.choice;
    setText(this.status, statusOf(this.file, this.axes, count));
    this.tools.none.disabled = !count;
    this.picture.strengthen(this.legend.focus, flags);
  }

  draw() {
    if (!this.axes) return;
    const { gamma, hover, path, tools: { layers: { on: layers } }, legend: { focus } } = this;
    this.picture.draw({ layers, gamma, focus, hover, path });
    this.draws += 1;
  }

  point(x, y) {
    const i = x === undefined ? -1 : this.picture.nearest(x, y);
    if (i === this.hover && this.tip.element.hidden === (i < 0)) return; // a movement, or another cloud's pointer, shows no tooltip
    this.setHover(i);
    this.choice.point(i);
  }

  setHover(i) {
    if (i < 0) this.tip.hide();
    else {
      this.tip.fill(this.file, i, this.axes);
      this.tip.place(...this.picture.spotOf(i), this.plot.clientWidth, this.plot.clientHeight);
    }
    this.ring(i);
  }

  ring(i) {
    this.hover = i;
    this.request();
  }

  click(x, y, how) {
    const i = this.picture.nearest(x, y);
    if (i < 0) return;
    this.choice.take(Uint8Array.from({ length: this.file.n }, (_, k) => Number(k === i)), how);
    this.setHover(i);
  }

  region(path, done, how) {
    this.path = done ? null : path;
    this.tip.hide();
    if (!done) return this.request();
    this.choice.take(this.picture.inside(path), how);
  }

  painted() {
    if (!this.file) return;
    this.recolour();
    this.refresh();
  }

  recolour() {
    const colours = classColours(this.file.K, this.theme.dark);
    this.picture.dress(colours, this.theme);
    this.legend.draw(this.file.info.class_names, colours, this.theme.panel);
  }

  /** Other props for the same points: the theme, or a projection that has become ready. */
  update(props) {
    const ready = Object.keys(props.projections ?? {}).find((kind) => !this.props.projections?.[kind]);
    super.update(props);
    if (this.file) this.attempt(() => this.learn(ready));
  }

  /** Takes up what has become known since: the predicted points, a projection `ready`. */
  async learn(ready) {
    const news = await this.file.learn();
    if (news) this.gamma.open(this.file);
    this.tools.open(this.file, this.props, ready);
    if (!news && !ready) return;
    await this.look(this.tools.sight, !ready);
    this.takeUp();
  }

  /** What is shown, for tests and benchmarks; null until there is something to see. */
  state() {
    const { file, axes, camera, picture, gamma, choice, draws } = this;
    if (!file || !axes) return null;
    const crosses = axes.points && file.G ? camera.project(gamma.columns(axes.points, file.K), file.K, buffers(file.K)) : null;
    return {
      n: file.n, d: file.d, K: file.K, kind: axes.kind, titles: axes.titles, scale: camera.scale, centre: [camera.cx, camera.cy], wrong: file.wrong.reduce((sum, flag) => sum + flag, 0),
      chosen: choice.count, gamma: file.G ? gamma.gamma : null, crosses: crosses && [...crosses.x].map((x, c) => [x, crosses.y[c]]), draws, moving: picture.moving,
    };
  }

  destroy() {
    super.destroy();
    this.choice.close();
    this.observer.disconnect();
  }
}

/** Streamlit's entry; other points, another cloud. */
export default keeping((element, data, { setStateValue, setTriggerValue }) => new Cloud(element, data,
  (what, value) => (what === "wanted" ? setTriggerValue : setStateValue)(what, value)), (data) => data.cloudUrl);
