// A point cloud to look into: pan, zoom, turn, filter, hover, choose, and see where the head's classes would fall.

import { CloudCamera } from "./camera.js";
import { CloudFile } from "./file.js";
import { CloudGamma } from "./gamma.js";
import { Hands } from "./hands.js";
import { join } from "./link.js";
import { drawOver } from "./over.js";
import { CloudPaint, FAINT, HIDDEN, SHOWN } from "./paint.js";
import { PickGrid, inside, packed } from "./pick.js";
import { CloudTip } from "./tip.js";
import { CloudTools } from "./tools.js";
import { CLOUD_TEXTS } from "./words.js";
import { drawDirections, drawGround, plotRect } from "./axes.js";
import { el, loadStyles, setText } from "../kit/dom.js";
import { addExplanations } from "../kit/explain.js";
import { formatCount } from "../kit/format.js";
import { Legend } from "../latents/legend.js";
import { buffers } from "../latents/mapping.js";
import { classColours } from "../kit/palette.js";
import { Popover } from "../kit/popover.js";
import { applyTheme, readTheme } from "../kit/theme.js";

const REACH = 12; // pixels from the pointer to a sample it means
const SETTLE_MS = 140; // after a movement, until everything is drawn again
const BUDGET_MS = 22; // of painting while moving; beyond it a fair part of the samples stands for all
const GRACE_MS = 300; // between a cleanup and the same element's next mount
const TELL_MS = 150; // between a choice and telling the page of it
const MAX_RATIO = 2;

addExplanations(CLOUD_TEXTS);

export class Cloud {
  /** props: {cloudUrl, nodesUrl, imagesUrl, theoryUrl, pointsUrl, projections, offers, dark, group, name}; tell(state, value) reaches the page. */
  constructor(element, props, tell) {
    Object.assign(this, { element, props, tell, file: null, axes: null, chosen: null, chosenCount: 0, hover: -1, path: null, perMs: 0, draws: 0, paintMs: 0 });
    this.root = el("div", { class: "lpc-root lpc-cloud lpc-unstyled", testid: "lpc-cloud" });
    this.popover = new Popover(this.root, () => ({}));
    this.camera = new CloudCamera();
    this.build();
    element.append(this.root);
    element.lpcCloud = this.root.lpcCloud = this.door();
  }

  build() {
    const info = (key) => this.popover.button(key);
    const canvas = (className) => el("canvas", { class: className, "aria-hidden": "true" });
    [this.base, this.marks, this.over] = [canvas("lpc-cloud-base"), canvas("lpc-cloud-marks"), canvas("lpc-cloud-over")];
    this.surface = el("div", { class: "lpc-surface lpc-cloud-surface", tabindex: "0", role: "application", testid: "lpc-cloud-surface",
      "aria-label": "Latent points by class. Arrow keys move or turn, plus and minus zoom, 0 shows everything, L lasso, B box, Escape clears the choice." });
    this.plot = el("div", { class: "lpc-plot lpc-cloud-plot", testid: "lpc-cloud-plot" }, this.base, this.marks, this.over, this.surface);
    this.legendHost = el("div", { class: "lpc-legend", role: "group", "aria-label": "Classes" });
    this.status = el("span", { class: "lpc-cloud-status", role: "status", testid: "lpc-cloud-status" });
    this.cover = el("div", { class: "lpc-cover", role: "status", testid: "lpc-cloud-cover" });
    this.gamma = new CloudGamma({ info, moved: () => this.request() });
    this.tools = new CloudTools({
      info, look: (view) => this.look(view), zoom: (factor) => this.moved(() => this.camera.zoom(factor)), home: () => this.moved(() => this.camera.reset()),
      layers: () => this.request(), choose: (what) => this.chooseBy(what), clear: () => this.choose(null), want: (kind) => this.tell("wanted", kind), picture: () => this.savePicture(),
      used: (tool) => this.plot.classList.toggle("lpc-cloud-drawing", tool !== "move"),
    });
    this.paint = new CloudPaint(this.marks);
    this.tip = new CloudTip(this.plot);
    this.legend = new Legend(this.legendHost, () => this.refresh());
    this.hands = new Hands(this.surface, this.handHooks());
    const head = el("header", { class: "lpc-head" }, el("h3", { text: this.props.name || "Latents" }), info("cloud"), this.tools.handles, this.tools.view);
    const choice = el("div", { class: "lpc-cloud-choice" }, this.status, this.tools.choice);
    this.root.prepend(el("section", { class: "lpc-panel lpc-cloud-panel" }, head, this.plot, choice,
      el("div", { class: "lpc-keys" }, this.tools.layerChips, this.legendHost), this.gamma.element, this.cover));
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.plot);
    this.sayCover("Loading the points…");
  }

  handHooks() {
    const { camera } = this;
    return {
      tool: () => this.tools.tool, deep: () => camera.deep, use: (tool) => this.tools.use(tool),
      pan: (dx, dy) => this.moved(() => camera.pan(dx, dy)), turn: (dx, dy) => this.moved(() => camera.turn(dx, dy)),
      zoom: (factor, x, y) => this.moved(() => camera.zoom(factor, x === undefined ? x : x - camera.rect.x, y === undefined ? y : y - camera.rect.y)),
      home: () => this.moved(() => camera.reset()), clear: () => this.choose(null),
      point: (x, y) => this.point(x, y), click: (x, y, how) => this.click(x, y, how), region: (path, done, how) => this.region(path, done, how),
    };
  }

  /** Styles and points, then the first picture. */
  async begin() {
    await Promise.all([loadStyles(), loadStyles("cloud/cloud.css")]);
    if (this.gone) return;
    this.root.classList.remove("lpc-unstyled");
    this.restyle();
    await this.attempt(async () => this.open(await CloudFile.open(this.props)));
  }

  /** Runs `work`; a failure is said on the picture. */
  async attempt(work) {
    try {
      await work();
    } catch (error) {
      if (!this.gone) this.sayCover(`${error.message}; reload the page or open the file again.`, true);
    }
  }

  async open(file) {
    file.urls = this.props; // they may have changed while the samples were on their way
    await file.learn();
    if (this.gone) return;
    file.urls = this.props;
    this.file = file;
    Object.assign(this, { total: file.info.total, at: buffers(file.n), strength: new Uint8Array(file.n).fill(SHOWN), spots: buffers(file.K), chosen: null, chosenCount: 0 });
    this.link?.leave();
    this.link = this.props.group ? join(this.props.group, this) : null;
    this.recolour();
    this.gamma.open(file);
    this.tools.open(file, this.props);
    await this.look(this.tools.sight);
  }

  /** Other axes: {kind, nodes, dims}. */
  async look({ kind, nodes, dims }) {
    const asked = (this.asked = {});
    await this.attempt(async () => {
      const axes = await this.file.axes(kind, nodes, dims);
      if (this.gone || asked !== this.asked) return;
      this.axes = axes;
      this.layout();
      this.camera.open(this.extent(axes), this.rect());
      this.gamma.allow(Boolean(axes.points));
      this.sayCover("");
      this.say();
      this.refresh();
    });
  }

  /** What a view without samples, a head's, must have in sight: its points. */
  extent({ xyz, points }) {
    const { n, G, K } = this.file;
    return n || !points || !G ? xyz : points.map((one) => this.gamma.column(one, K, new Float64Array(K)));
  }

  rect() {
    return plotRect(this.plot.clientWidth, this.plot.clientHeight, this.axes?.xyz.length === 3);
  }

  resize() {
    if (!this.axes || !this.plot.clientWidth) return;
    this.layout();
    this.camera.resize(this.rect());
    this.settle();
  }

  /** Sizes of the three canvases. */
  layout() {
    const [w, h] = [this.plot.clientWidth, this.plot.clientHeight];
    this.ratio = Math.min(MAX_RATIO, window.devicePixelRatio || 1);
    for (const canvas of [this.base, this.over]) Object.assign(canvas, { width: Math.round(w * this.ratio), height: Math.round(h * this.ratio) });
    const rect = this.rect();
    Object.assign(this.marks.style, { left: `${rect.x}px`, top: `${rect.y}px` });
    this.paint.prepare({ w: rect.w, h: rect.h, ratio: this.ratio, colours: this.colours, theme: this.theme, n: this.file.n });
  }

  /** A movement: quickly drawn now, fully when it rests. */
  moved(change) {
    if (!this.axes) return;
    change();
    this.tip.hide();
    this.moving = true;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.settle(), SETTLE_MS);
    this.request();
  }

  settle() {
    clearTimeout(this.rest);
    Object.assign(this, { moving: false, grid: null, drawnFully: false });
    this.request();
  }

  /** Who is bright, faint or hidden has changed. */
  refresh() {
    if (!this.file) return;
    const { strength, chosen, chosenCount, legend: { focus }, file: { labels, n } } = this;
    for (let i = 0; i < n; i++) {
      const filtered = focus.size > 0 && !focus.has(labels[i]);
      strength[i] = filtered ? (chosenCount ? HIDDEN : FAINT) : chosenCount && !chosen[i] ? FAINT : SHOWN;
    }
    this.settle();
  }

  request() {
    if (!this.raf && !this.gone) this.raf = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.raf = 0;
    if (!this.axes) return;
    if (this.moving || !this.drawnFully) this.drawMarks();
    this.drawRest();
    this.draws += 1;
  }

  drawMarks() {
    const { file, camera, at, strength } = this;
    const begin = performance.now();
    const most = this.perMs > 0 ? Math.max(4_000, Math.floor(BUDGET_MS * this.perMs)) : 20_000;
    const count = this.moving ? Math.min(file.n, most) : file.n;
    camera.project(this.axes.xyz, file.n, at);
    this.paint.paint({ ...at, depth: camera.deep ? at.depth : null, order: file.order, count, labels: file.labels, wrong: file.wrong, strength, reach: camera.home.reach });
    this.paintMs = performance.now() - begin;
    const speed = count / Math.max(0.5, this.paintMs);
    if (count > 2_000) this.perMs = this.perMs ? this.perMs + 0.3 * (speed - this.perMs) : speed;
    this.painted = count;
    this.drawnFully = !this.moving;
  }

  drawRest() {
    const { camera, axes, theme } = this;
    const ground = this.cleared(this.base);
    if (camera.deep) drawDirections(ground, camera, axes.titles, theme);
    else drawGround(ground, camera, axes.titles, theme);
    drawOver(this.cleared(this.over), this);
  }

  cleared(canvas) {
    const ctx = canvas.getContext("2d");
    ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    return ctx;
  }

  // ---- pointing and choosing ---------------------------------------------------------------------------------------

  nearest(x, y) {
    if (!this.axes || this.moving || !this.drawnFully) return -1;
    const { rect } = this.camera;
    this.grid ??= new PickGrid(this.at.x, this.at.y, this.strength, this.file.n, rect.w, rect.h);
    return this.grid.nearest(x - rect.x, y - rect.y, REACH, this.strength);
  }

  point(x, y) {
    const i = x === undefined ? -1 : this.nearest(x, y);
    if (i === this.hover) return;
    this.setHover(i);
    this.link?.tell("hover", i < 0 ? -1 : this.file.row(i));
  }

  setHover(i) {
    this.hover = i;
    const { rect } = this.camera;
    if (i < 0) this.tip.hide();
    else this.tip.show(this.file, i, this.axes, this.at.x[i] + rect.x, this.at.y[i] + rect.y, this.plot.clientWidth, this.plot.clientHeight);
    this.request();
  }

  click(x, y, how) {
    const i = this.nearest(x, y);
    if (i < 0) return;
    this.choose(Uint8Array.from({ length: this.file.n }, (_, k) => Number(k === i)), how);
    this.setHover(i);
  }

  region(path, done, how) {
    this.path = done ? null : path;
    this.tip.hide();
    if (!done) return this.request();
    const { rect } = this.camera;
    const local = path.map(([x, y]) => [x - rect.x, y - rect.y]);
    this.choose(inside(local, this.at.x, this.at.y, this.strength, this.file.n), how);
  }

  chooseBy(what) {
    const flags = new Uint8Array(this.file.n);
    if (what === "wrong") flags.set(this.file.wrong);
    else for (const i of this.file.info.ambiguous) flags[i] = 1;
    this.choose(flags);
  }

  /** Chooses the flagged samples (none: null) instead of, beside, or out of the ones chosen before. */
  choose(flags, how = "new") {
    if (!this.file) return;
    this.setChosen(combined(this.chosen, flags, how));
    this.link?.tell("chosen", this.chosen && rowsOf(this.file, this.chosen));
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.tell("selection", this.report()), TELL_MS);
  }

  setChosen(chosen) {
    this.chosenCount = chosen ? chosen.reduce((sum, flag) => sum + flag, 0) : 0;
    this.chosen = this.chosenCount ? chosen : null;
    this.say();
    this.refresh();
  }

  report() {
    return { count: this.chosenCount, bits: this.chosen ? packed(this.chosen) : "", of: this.props.cloudUrl };
  }

  /** What another cloud of the same rows says. */
  hear(what, value) {
    if (!this.axes) return;
    if (what === "hover") {
      this.hover = value < 0 ? -1 : this.file.sampleOf(value);
      this.request();
    } else {
      const flags = value && new Uint8Array(this.file.n);
      for (const row of value ?? []) if (this.file.sampleOf(row) >= 0) flags[this.file.sampleOf(row)] = 1;
      this.setChosen(flags);
    }
  }

  say() {
    const { n, info: { total } } = this.file;
    const drawn = n ? wordsFor(n, total, this.axes) : "no samples: the head alone";
    setText(this.status, this.chosenCount ? `${formatCount(this.chosenCount)} chosen of ${drawn}` : drawn);
    this.tools.chosen(this.chosenCount);
  }

  sayCover(text, failed = false) {
    this.cover.replaceChildren(el("div", { class: failed ? "lpc-cover-box lpc-failed" : "lpc-cover-box" }, el("div", { class: "lpc-spinner" }), el("p", { text })));
    this.cover.hidden = !text;
  }

  savePicture() {
    const canvas = el("canvas", { width: this.base.width, height: this.base.height });
    const ctx = canvas.getContext("2d");
    ctx.fillStyle = this.theme.panel;
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    ctx.drawImage(this.base, 0, 0);
    ctx.drawImage(this.marks, Math.round(this.camera.rect.x * this.ratio), Math.round(this.camera.rect.y * this.ratio));
    ctx.drawImage(this.over, 0, 0);
    canvas.toBlob((blob) => {
      const link = el("a", { href: URL.createObjectURL(blob), download: "lpc-latents.png" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
    });
  }

  // ---- looks -------------------------------------------------------------------------------------------------------

  restyle() {
    const theme = readTheme(this.element, this.props.dark);
    const key = JSON.stringify(theme);
    if (key === this.themeKey) return;
    Object.assign(this, { themeKey: key, theme });
    applyTheme(this.root, theme);
    if (!this.file) return;
    this.recolour();
    if (!this.axes) return;
    this.layout();
    this.refresh();
  }

  recolour() {
    this.colours = classColours(this.file.K, this.theme.dark);
    this.legend.draw(this.file.info.class_names, this.colours);
  }

  /** Other props for the same points: the theme, or a projection that has become ready. */
  update(props) {
    const ready = Object.keys(props.projections ?? {}).find((kind) => !this.props.projections?.[kind]);
    this.props = { ...this.props, ...props };
    if (this.themeKey) this.restyle();
    if (!this.file) return;
    this.file.urls = this.props;
    this.attempt(() => this.learn(ready));
  }

  /** Takes up what has become known since: the predicted points, a projection `ready`. */
  async learn(ready) {
    const news = await this.file.learn();
    if (news) this.gamma.open(this.file);
    this.tools.open(this.file, this.props, ready);
    if (ready) return this.look(this.tools.sight);
    if (!news) return;
    const { kind, nodes, dims } = this.tools.sight;
    this.axes = await this.file.axes(kind, nodes, dims);
    this.gamma.allow(Boolean(this.axes.points));
    if (!this.file.n) this.camera.open(this.extent(this.axes), this.rect());
    this.request();
  }

  /** For tests and benchmarks. */
  door() {
    return { state: () => this.state(), cloud: this };
  }

  state() {
    const { file, axes, camera } = this;
    if (!file || !axes) return null;
    const crosses = axes.points && file.G ? camera.project(axes.points.map((one) => this.gamma.column(one, file.K, new Float64Array(file.K))), file.K, buffers(file.K)) : null;
    return {
      n: file.n, total: file.info.total, d: file.d, K: file.K, kind: axes.kind, titles: axes.titles, deep: camera.deep, scale: camera.scale, centre: [camera.cx, camera.cy], yaw: camera.yaw,
      chosen: this.chosenCount, hover: this.hover < 0 ? -1 : file.row(this.hover), gamma: file.G ? this.gamma.gamma : null, crosses: crosses && [...crosses.x].map((x, c) => [x, crosses.y[c]]),
      painted: this.painted, paintMs: this.paintMs, draws: this.draws, moving: Boolean(this.moving), wrong: file.wrong.reduce((sum, flag) => sum + flag, 0),
    };
  }

  /** Where sample i is on the surface. */
  spotOf(i) {
    return [this.at.x[i] + this.camera.rect.x, this.at.y[i] + this.camera.rect.y];
  }

  destroy() {
    this.gone = true;
    cancelAnimationFrame(this.raf);
    for (const timer of [this.rest, this.telling]) clearTimeout(timer);
    this.link?.leave();
    this.observer.disconnect();
    this.popover.close();
    this.root.remove();
    delete this.element.lpcCloud;
  }
}

function wordsFor(n, total, axes) {
  const placed = axes ? axes.xyz[0].reduce((sum, value) => sum + Number(Number.isFinite(value)), 0) : n;
  const part = n < total ? `${formatCount(n)} of ${formatCount(total)} samples drawn, every class in proportion` : `${formatCount(n)} samples`;
  return placed < n ? `${part}; ${formatCount(placed)} of them have a place in this view` : part;
}

function combined(before, flags, how) {
  if (!flags || !before || how === "new") return flags && (how === "take" ? before : flags);
  return before.map((flag, i) => (how === "add" ? flag | flags[i] : flag & ~flags[i] & 1));
}

function rowsOf(file, flags) {
  const rows = [];
  for (let i = 0; i < flags.length; i++) if (flags[i]) rows.push(file.row(i));
  return rows;
}

/** Mounts a cloud in `element`. */
export function mount(element, props, tell) {
  const cloud = new Cloud(element, props, tell);
  cloud.begin();
  return cloud;
}

const mounted = new WeakMap(); // parent element → {cloud, leaving}

/** Streamlit's entry; other points replace the cloud. */
export default function component({ data, parentElement, setStateValue, setTriggerValue }) {
  let known = mounted.get(parentElement);
  if (known) clearTimeout(known.leaving);
  if (known && known.cloud.props.cloudUrl === data.cloudUrl) known.cloud.update(data);
  else {
    known?.cloud.destroy();
    const tell = (what, value) => (what === "wanted" ? setTriggerValue : setStateValue)(what, value);
    known = { cloud: mount(parentElement, data, tell) };
    mounted.set(parentElement, known);
  }
  return () => {
    known.leaving = setTimeout(() => {
      if (mounted.get(parentElement) === known) mounted.delete(parentElement);
      known.cloud.destroy();
    }, GRACE_MS);
  };
}
