// The picture of a point cloud on three canvases: the ground, the samples, what lies over them. All samples at rest, a fair part while it moves.

import { fit } from "../kit/canvas.js";
import { el } from "../kit/dom.js";
import { saveBlob } from "../controls/savemenu.js";
import { buffers } from "../latents/mapping.js";
import { nearest } from "../latents/points.js";
import { drawDirections, drawGround, plotRect } from "./axes.js";
import { inside } from "./choice.js";
import { drawOver } from "./over.js";
import { CloudPaint, FAINT, HIDDEN, SHOWN } from "./paint.js";

const REACH = 12; // pixels from the pointer to a sample it means
const SETTLE_MS = 140; // after a movement, until everything is drawn again
const BUDGET_MS = 22; // of painting while moving; beyond it a fair part of the samples stands for all
const MAX_RATIO = 2;

export class CloudPicture {
  /** Fills `plot`, seen through `camera`; request() asks for a draw. */
  constructor(plot, camera, request) {
    Object.assign(this, { plot, camera, request, file: null, axes: null, moving: false, drawnFully: false, perMs: 0, paintMs: 0, painted: 0 });
    [this.base, this.marks, this.over] = ["base", "marks", "over"].map((name) => el("canvas", { class: `lpc-cloud-${name}`, "aria-hidden": "true" }));
    plot.append(this.base, this.marks, this.over);
    this.paint = new CloudPaint(this.marks);
  }

  /** Other samples: none is drawn until they have axes. */
  open(file) {
    Object.assign(this, { file, at: buffers(file.n), strength: new Uint8Array(file.n).fill(SHOWN), spots: buffers(file.K) });
  }

  /** Along other `axes` than before: brings the points `xyz`, [p arrays], into sight. */
  look(xyz) {
    this.layout();
    this.camera.open(xyz, this.rect());
  }

  /** The classes' colours on the theme's ground. */
  dress(colours, theme) {
    Object.assign(this, { colours, theme });
    if (this.axes) this.layout();
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
    this.size = [this.plot.clientWidth, this.plot.clientHeight];
    this.ratio = Math.min(MAX_RATIO, window.devicePixelRatio || 1);
    const rect = this.rect();
    Object.assign(this.marks.style, { left: `${rect.x}px`, top: `${rect.y}px` });
    this.paint.prepare({ w: rect.w, h: rect.h, ratio: this.ratio, colours: this.colours, theme: this.theme, n: this.file.n });
  }

  /** A movement: quickly drawn now, fully when it rests. */
  move(change) {
    change();
    Object.assign(this, { moving: true, drawnFully: false });
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.settle(), SETTLE_MS);
    this.request();
  }

  settle() {
    clearTimeout(this.rest);
    Object.assign(this, { moving: false, drawnFully: false });
    this.request();
  }

  /** Who is bright, faint or hidden: `focus` are the classes kept bright (none: all), `chosen` the flags of a choice or null. */
  strengthen(focus, chosen) {
    const { strength, file: { labels, n } } = this;
    for (let i = 0; i < n; i++) {
      const filtered = focus.size > 0 && !focus.has(labels[i]);
      strength[i] = filtered ? (chosen ? HIDDEN : FAINT) : chosen && !chosen[i] ? FAINT : SHOWN;
    }
    this.settle();
  }

  /** more: {layers, gamma, focus, hover, path}, which lie over the samples. */
  draw(more) {
    const { camera, axes, theme } = this;
    if (!this.drawnFully) this.drawMarks();
    const [ground, over] = [this.base, this.over].map((canvas) => fit(canvas, ...this.size, MAX_RATIO));
    if (camera.deep) drawDirections(ground, camera, axes.titles, theme);
    else drawGround(ground, camera, axes.titles, theme);
    drawOver(over, this, more);
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

  /** The sample meant by a point of the surface; −1 for none, or while the picture moves. */
  nearest(x, y) {
    if (!this.drawnFully) return -1;
    const { rect } = this.camera;
    return nearest(this.at, this.file.n, x - rect.x, y - rect.y, REACH, this.strength);
  }

  /** The samples inside a path on the surface, as flags (n). */
  inside(path) {
    const { rect } = this.camera;
    return inside(path.map(([x, y]) => [x - rect.x, y - rect.y]), this.at.x, this.at.y, this.strength, this.file.n);
  }

  /** Where sample i is on the surface. */
  spotOf(i) {
    return [this.at.x[i] + this.camera.rect.x, this.at.y[i] + this.camera.rect.y];
  }

  /** Hands the reader the picture as a PNG. */
  save() {
    const canvas = el("canvas", { width: this.base.width, height: this.base.height });
    const ctx = canvas.getContext("2d");
    ctx.fillStyle = this.theme.panel;
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    ctx.drawImage(this.base, 0, 0);
    ctx.drawImage(this.marks, Math.round(this.camera.rect.x * this.ratio), Math.round(this.camera.rect.y * this.ratio));
    ctx.drawImage(this.over, 0, 0);
    canvas.toBlob((blob) => saveBlob(blob, "lpc-latents.png"));
  }
}
