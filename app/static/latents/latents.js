// The latent view: samples, shell, collapse points and forces on a canvas over Plotly's axes, or turned in 3-D.

import { Axes } from "./axes.js";
import { Camera, extentOf } from "./camera.js";
import { REDUCED, el } from "../kit/dom.js";
import { momentOf } from "../kit/frames.js";
import { Ghosts } from "./ghosts.js";
import { exportFigure, pointTraces } from "./handover.js";
import { Hover } from "./hover.js";
import { Legend } from "./legend.js";
import { Linked, flagsOf } from "../kit/linked.js";
import { mappingOf, rotationOf } from "./mapping.js";
import { Painter } from "./painter.js";
import { classColours } from "../kit/palette.js";
import { makeBrush } from "./points.js";
import { Selection } from "./selection.js";
import { Spin } from "./spin.js";
import { Touch, guardWheel } from "./touch.js";
import { Tween, comparable } from "./tween.js";
import { VIEW, described, titlesOf } from "./words.js";

const SETTLE_MS = 350; // a picture at rest this long is handed to Plotly

export class Latents {
  /** parts: {plot, legend, selection, controls, layers: a `Layers`, linked: shared with other views}; hooks: {redraw(), wantThumbs()} */
  constructor(parts, hooks) {
    Object.assign(this, { linked: new Linked() }, parts, hooks, { flagged: null, setupMessage: null, told: null, theme: null, handed: false, settle: 0, axesMs: 0 });
    this.gd = el("div", { class: "lpc-axes" });
    this.canvas = el("canvas", { class: "lpc-canvas", role: "img", "aria-label": described({}), testid: "lpc-picture" });
    this.surface = el("div", { class: "lpc-surface", tabindex: "0", role: "group", "aria-label": VIEW }, this.gd, this.canvas);
    this.plot.append(this.surface);
    this.axes = new Axes(this.gd, {
      userZoom: () => this.setZoom("fixed"), follow: () => this.setZoom("follow"),
      selected: (points) => this.choose(points && points.map(({ customdata }) => customdata)), exportImage: (format) => this.exportImage(format),
    });
    this.tween = new Tween();
    this.camera = new Camera();
    this.ghosts = new Ghosts();
    this.painter = new Painter(this.canvas);
    this.legendView = new Legend(this.legend, () => this.refocus());
    this.spin = new Spin(this.surface, () => this.redraw());
    this.hover = new Hover(this.surface, this.plot, () => this.drawn(), this.wantThumbs, this.linked);
    this.linked.hear(() => { // of what is pointed at or chosen, here or in another view
      this.chosen.say(this.setupMessage);
      this.redraw();
    });
    guardWheel(this.surface);
    this.surface.addEventListener("pointerdown", () => this.hold());
    this.touch = new Touch(this.surface, (dx, dy, factor, x, y) => {
      if (this.spin.active) this.spin.pinch(dx, dy, factor);
      else this.axes.moveBy(dx, dy, factor, x, y);
    });
    this.chosen = new Selection(this.selection, this.linked);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.plot);
  }

  /** A pointer is down on the view: Plotly must not be redrawn under it. */
  hold() {
    const heard = new AbortController();
    this.surface.focus({ preventScroll: true });
    this.held = true;
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => { // wherever it comes up
      heard.abort();
      this.held = false;
      setTimeout(() => this.redraw(), 0); // after Plotly has heard of it too
    }, { capture: true, signal: heard.signal });
  }

  usePlotly(Plotly) {
    this.axes.use(Plotly);
    this.redraw();
  }

  setup(message) {
    Object.assign(this, { setupMessage: { info: message.info, labels: message.tensors.labels.data }, told: null });
    this.tween.clear();
    this.camera.reset();
    this.ghosts.reload(message.info.history);
    this.hover.clear();
    this.takeBack();
    this.linked.open(this.setupMessage.labels.length);
    this.paint();
  }

  restyle(theme) {
    this.theme = theme;
    this.axes.draw(theme);
    this.paint();
    this.redraw();
  }

  /** Colours, shapes and chips of the present run in the present theme. */
  paint() {
    if (!this.setupMessage || !this.theme) return;
    const { info } = this.setupMessage;
    this.colours = classColours(info.K, this.theme.dark);
    this.brush = makeBrush(this.setupMessage.labels, this.colours);
    this.legendView.draw(info.class_names, this.colours, this.theme.panel);
    if (this.handed) this.handOver();
  }

  /** A received frame, taken for drawing. */
  push(message, now) {
    const scene = momentOf(message);
    const before = this.current?.scene;
    // Paused, γ moves only the predictions: the samples may stay in Plotly's hands.
    const still = before?.info.step === scene.info.step && scene.info.state !== "running" && comparable(before, scene);
    if (!still) this.takeBack();
    this.tween.push(scene, now);
    this.ghosts.watch(scene.gamma, scene.norm_mean);
    this.setDimensions(scene);
  }

  /** The moment that the numbers in and of the picture are of. */
  tell(info) {
    this.told = info;
    this.canvas.setAttribute("aria-label", described(info, this.setupMessage));
    this.redraw();
  }

  /** Whether the view has all nodes: only then is the shell a circle in it, and do points at the radius R lie on it. */
  whole({ p }) {
    return this.setupMessage.info.d <= p;
  }

  setDimensions({ info, p }) {
    if (p !== this.p && this.camera.mode === "follow") this.camera.half = null; // fits anew, at rest too
    this.p = p;
    this.gd.parentElement.dataset.whole = String(this.whole({ p }));
    this.titles = titlesOf(info);
    this.spin.setActive(p === 3);
    this.gd.classList.toggle("lpc-hidden", p === 3);
    if (p === 2) this.axes.setTitles(this.titles.slice(0, 2));
  }

  setZoom(mode) {
    this.camera.setMode(mode);
    if (mode === "follow") this.camera.half = null;
    this.controls.zoom.select(mode);
    this.redraw();
  }

  /** Draws the moment `now`; returns whether another frame is needed. */
  draw(now) {
    const { scene, moving } = this.tween.at(now);
    if (!scene || !this.axes.ready || !this.brush) return false;
    const gliding = this.follow(scene, now);
    const mapping = this.mappingFor(scene);
    const { flags, pointed } = this.linked;
    if (this.handed && flags !== this.flagged) this.handOver();
    this.painter.paint(scene, mapping, {
      layers: this.layers.on, ghosts: this.ghosts, titles: this.titles, labels: this.setupMessage.labels, brush: this.brush, focus: this.legendView.focus, flags, pointed,
      theme: this.theme, whole: this.whole(scene), reach: this.camera.half, samples: !this.handed || !this.whole(scene), told: this.told ?? scene.info,
    });
    this.hover.refresh();
    this.current = { scene, mapping };
    if (!moving && !gliding) this.rest(scene);
    return moving || gliding;
  }

  /** The camera's zoom, and the axes after it where they are behind; returns whether it glides. */
  follow(scene, now) {
    const gliding = this.glide(scene, now);
    const { axes, camera: { half, mode } } = this;
    const behind = scene.p === 2 && (mode === "follow" || !axes.range) && !this.held && half && half !== axes.half;
    if (!behind || (gliding && now - this.lookedAt < this.axesMs)) return gliding;
    axes.lookAt(half);
    this.lookedAt = now;
    return gliding;
  }

  glide(scene, now) {
    return this.camera.update(extentOf(scene, this.setupMessage.info.d), now, REDUCED.matches);
  }

  mappingFor(scene) {
    const { camera, spin, plot: { clientWidth: w, clientHeight: h } } = this;
    if (scene.p === 3) return mappingOf({ x: 0, y: 0, w, h }, 0, 0, (Math.min(w, h) / 2 / camera.half) * spin.zoom, rotationOf(spin.yaw, spin.pitch));
    const { rect, cx, cy, scale } = this.axes.where();
    return mappingOf(rect, cx, cy, scale);
  }

  drawn() {
    const { painter: { at }, current, setupMessage: setup, titles } = this;
    return current && at.n === current.scene.n ? { at, scene: current.scene, setup, titles } : null;
  }

  /** Nothing moves: if the run does not either, give the points to Plotly. */
  rest(scene) {
    clearTimeout(this.settle);
    if (this.handed || scene.p !== 2 || scene.info.state === "running") return;
    this.settle = setTimeout(() => this.handOver(), SETTLE_MS);
  }

  handOver() {
    if (!this.axes.Plotly || !this.current || this.current.scene.p !== 2 || this.held || this.gone) return;
    Object.assign(this, { handed: true, flagged: this.linked.flags });
    this.axes.setTraces(pointTraces(this.current.scene, this.setupMessage, this.colours, this.legendView.focus, this.theme, this.flagged));
    this.redraw();
  }

  takeBack() {
    clearTimeout(this.settle);
    this.handed = false;
    this.axes.setTraces([]);
  }

  refocus() {
    if (this.handed) this.handOver();
    this.redraw();
  }

  /** By Plotly's lasso, which shows its choice by itself. */
  choose(samples) {
    this.flagged = samples && flagsOf(this.linked.count, samples);
    this.linked.choose(this.flagged);
  }

  exportImage(format) {
    const { axes: { Plotly }, current: { scene } = {} } = this;
    if (!scene || !Plotly) return;
    const figure = exportFigure(this.axes, scene, this.setupMessage, this.colours, this.theme, this.whole(scene));
    Plotly.downloadImage(figure, { format, filename: `lpc-step-${scene.info.step}`, scale: format === "png" ? 2 : 1 });
  }

  resize() {
    const { clientWidth: w, clientHeight: h } = this.plot;
    if (!w || !h) return;
    this.painter.size = [w, h];
    this.axes.resize();
    this.redraw();
  }

  destroy() {
    this.gone = true;
    clearTimeout(this.settle);
    this.observer.disconnect();
    this.axes.destroy();
  }
}
