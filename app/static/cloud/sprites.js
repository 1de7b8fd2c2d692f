// Small pictures of a class's mark as lists of pixels, so that 50,000 of them are blended by plain loops in milliseconds.

import { outlineOf, shapeOf, trace } from "../kit/palette.js";

export const LEVELS = 4; // of depth: far ones are smaller and fainter
const SUBS = 4; // positions within a pixel, two each way
const KINDS = 3;
export const FILLED = 0;
export const HOLLOW = 1;
export const DIM = 2;
const OPACITY = [0.85, 1, 0.13];
const DIM_MANY = 0.06; // of more samples than this the dimmed ones would still make a carpet
const MANY = 20_000;

/** Radius of a mark in CSS pixels for n samples. */
export const radiusFor = (n) => (n > 60_000 ? 1.45 : n > 20_000 ? 1.8 : n > 4_000 ? 2.3 : 3.1);

export class Sprites {
  /** For n samples in `colours`, on a surface with `ratio` pixels to a CSS pixel. */
  constructor(colours, theme, n, ratio) {
    Object.assign(this, { colours, theme, ratio, radius: radiusFor(n), dim: n > MANY ? DIM_MANY : OPACITY[DIM] });
    this.reach = Math.ceil((this.radius * 1.4 + 2) * ratio) + 1; // pixels from a mark's centre to its farthest pixel
    this.known = [];
    const side = 2 * this.reach + 1;
    this.ctx = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
  }

  /** {offsets in a buffer `stride` pixels wide, rgb, alpha (0…256)} of a class's mark; level LEVELS − 1 is the nearest, and the flat one. */
  get(label, kind, level, sub, stride) {
    const key = ((label * KINDS + kind) * LEVELS + level) * SUBS + sub;
    return (this.known[key] ??= this.make(label, kind, level, sub, stride));
  }

  make(label, kind, level, sub, stride) {
    const { ctx, reach, ratio } = this;
    const near = (level + 1) / LEVELS;
    const side = 2 * reach + 1;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, side, side);
    ctx.globalAlpha = (kind === DIM ? this.dim : OPACITY[kind]) * (0.35 + 0.65 * near);
    ctx.fillStyle = kind === HOLLOW ? this.theme.panel : this.colours[label];
    ctx.strokeStyle = this.colours[label];
    ctx.lineWidth = Math.max(1, 0.62 * this.radius) * ratio;
    ctx.beginPath();
    const [dx, dy] = [(sub & 1) * 0.5 + 0.25, (sub >> 1) * 0.5 + 0.25];
    const radius = (this.radius + (kind === HOLLOW ? 0.5 : 0)) * (0.7 + 0.3 * near) * ratio;
    trace(ctx, outlineOf(shapeOf(label)), reach + dx, reach + dy, radius);
    ctx.fill();
    if (kind === HOLLOW) ctx.stroke();
    return pixelsOf(ctx.getImageData(0, 0, side, side).data, side, reach, stride);
  }
}

function pixelsOf(data, side, reach, stride) {
  const [offsets, rgb, alpha] = [[], [], []];
  for (let i = 0, p = 0; i < side * side; i++, p += 4) {
    if (data[p + 3] < 6) continue;
    offsets.push((Math.floor(i / side) - reach) * stride + (i % side) - reach);
    rgb.push(data[p] | (data[p + 1] << 8) | (data[p + 2] << 16));
    alpha.push(Math.round((data[p + 3] * 256) / 255));
  }
  return { offsets: Int32Array.from(offsets), rgb: Int32Array.from(rgb), alpha: Int32Array.from(alpha) };
}
