// Where a point cloud is looked at from: pan and zoom in the plane, turn, pan and zoom in three dimensions.

import { TURNED, mappingOf, rotationOf, turnedBy } from "../latents/mapping.js";

const ROOM = 1.12; // the samples take this much less than the view
const MOST = 1e7; // times the first zoom
const LEAST = 0.05;
const OUTLIERS = 0.002; // share of the samples at each end that may lie far out without setting the zoom

export class CloudCamera {
  constructor() {
    Object.assign(this, { ...TURNED, cx: 0, cy: 0, scale: 1, home: null, rect: { x: 0, y: 0, w: 1, h: 1 } });
  }

  get deep() {
    return this.home?.centre.length === 3;
  }

  /** New axes: look at all of their samples. */
  open(xyz, rect) {
    this.rect = rect;
    this.home = homeOf(xyz);
    this.reset();
  }

  reset() {
    if (!this.home) return;
    const { centre, half, reach } = this.home;
    const { w, h } = this.rect;
    this.scale = this.deep ? Math.min(w, h) / 2 / (ROOM * reach) : Math.min(w / half[0], h / half[1]) / 2 / ROOM;
    const [cx, cy] = this.deep ? [0, 0] : centre;
    Object.assign(this, { first: this.scale, cx, cy, ...TURNED });
  }

  /** The view has another size: what was in the middle stays there. */
  resize(rect) {
    const factor = Math.min(rect.w, rect.h) / Math.min(this.rect.w, this.rect.h);
    this.rect = rect;
    if (!this.home || !Number.isFinite(factor)) return;
    this.scale *= factor;
    this.first *= factor;
  }

  /** Whether it has left where it began, and how to say so: how many times magnified, and the middle. */
  get moved() {
    return this.home && (this.scale !== this.first || String([this.cx, this.cy]) !== String(this.deep ? [0, 0] : this.home.centre));
  }

  get sight() {
    return [this.scale / this.first, this.cx, this.cy];
  }

  seeAgain([times, cx, cy]) {
    Object.assign(this, { scale: this.first * Math.max(LEAST, Math.min(MOST, times)), cx, cy });
  }

  pan(dx, dy) {
    this.cx -= dx / this.scale;
    this.cy += dy / this.scale;
  }

  turn(dx, dy) {
    Object.assign(this, turnedBy(this, dx, dy));
  }

  /** From latent units to pixels of the surface, for what is drawn under the samples; turned about the middle of the samples. */
  get mapping() {
    return mappingOf(this.rect, this.cx, this.cy, this.scale, this.deep ? rotationOf(this.yaw, this.pitch) : null);
  }

  /** Zooms by `factor`, keeping what lies at (px, py) of the surface there (the middle without them). */
  zoom(factor, px, py) {
    const { x, y, w, h } = this.rect;
    const scale = Math.max(LEAST * this.first, Math.min(MOST * this.first, this.scale * factor));
    const [dx, dy] = px === undefined ? [0, 0] : [px - x - w / 2, y + h / 2 - py];
    this.cx += dx / this.scale - dx / scale;
    this.cy += dy / this.scale - dy / scale;
    this.scale = scale;
  }

  /** Pixels of `count` points given as columns into out.x, out.y, and in 3-D units towards the viewer into out.depth. */
  project(columns, count, out) {
    const { rect: { w, h }, scale, cx, cy } = this;
    const [ox, oy] = [w / 2 - cx * scale, h / 2 + cy * scale];
    const [a, b, c] = columns;
    if (!this.deep) {
      for (let i = 0; i < count; i++) {
        out.x[i] = ox + scale * a[i];
        out.y[i] = oy - scale * b[i];
      }
      return out;
    }
    const m = rotationOf(this.yaw, this.pitch);
    const [ca, cb, cc] = this.home.centre;
    for (let i = 0; i < count; i++) {
      const [u, v, t] = [a[i] - ca, b[i] - cb, c[i] - cc];
      out.x[i] = ox + scale * (m[0] * u + m[1] * v + m[2] * t);
      out.y[i] = oy - scale * (m[3] * u + m[4] * v + m[5] * t);
      out.depth[i] = m[6] * u + m[7] * v + m[8] * t;
    }
    return out;
  }
}

/** The middle of the samples, half their extent along each axis, and their reach from the middle; a few outliers do not count. */
function homeOf(xyz) {
  const ends = xyz.map(extentOf);
  const centre = ends.map(([low, high]) => (low + high) / 2);
  const most = Math.max(...ends.map(([low, high]) => high - low)) / 2 || 1;
  const half = ends.map(([low, high]) => Math.max((high - low) / 2, most / 50));
  return { centre, half, reach: Math.hypot(...half) };
}

/** Of a typed array: others would be sorted as texts. */
function extentOf(values) {
  const step = Math.max(1, Math.floor(values.length / 20_000));
  const sorted = values.filter((value, i) => i % step === 0 && Number.isFinite(value)).sort();
  if (!sorted.length) return [-1, 1];
  const skip = Math.floor(OUTLIERS * sorted.length);
  const [low, high] = [sorted.at(skip), sorted.at(-1 - skip)];
  const room = 0.25 * (high - low);
  return [Math.max(sorted[0], low - room), Math.min(sorted.at(-1), high + room)];
}
