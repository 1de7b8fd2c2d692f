// Paints up to 100,000 samples into a pixel buffer: no paths, no layers, just marks blended over the panel's colour.

import { rgb } from "../kit/theme.js";
import { DIM, FILLED, HOLLOW, LEVELS, Sprites } from "./sprites.js";

const BUCKETS = 64; // of depth
export const HIDDEN = 0;
export const FAINT = 1;
export const SHOWN = 2;

export class CloudPaint {
  constructor(canvas) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d");
  }

  /** A surface of w × h CSS pixels for n samples. */
  prepare({ w, h, ratio, colours, theme, n }) {
    this.sprites = new Sprites(colours, theme, n, ratio);
    const pad = 2 * this.sprites.reach; // a mark whose centre is just outside still reaches in
    const [width, height] = [Math.max(1, Math.round(w * ratio)), Math.max(1, Math.round(h * ratio))];
    Object.assign(this.canvas, { width, height });
    Object.assign(this.canvas.style, { width: `${w}px`, height: `${h}px` });
    const [r, g, b] = rgb(theme.panel);
    Object.assign(this, { width, height, ratio, pad, stride: width + 2 * pad, ground: r | (g << 8) | (b << 16) });
    this.image = new ImageData(this.stride, height + 2 * pad);
    this.buffer = new Int32Array(this.image.data.buffer);
  }

  /** view: {x, y, depth (n, CSS pixels; depth null in the plane), order, count, labels, wrong, strength, reach}. */
  paint(view) {
    this.buffer.fill(this.ground); // see-through, with the colour that soft edges are mixed with
    if (view.depth) this.paintDeep(view);
    else this.paintFlat(view);
    this.ctx.putImageData(this.image, -this.pad, -this.pad);
  }

  paintFlat(view) {
    const { order, count, wrong, strength } = view;
    const late = [];
    for (let k = 0; k < count; k++) if (strength[order[k]] === FAINT) this.stamp(view, order[k], DIM, LEVELS - 1);
    for (let k = 0; k < count; k++) {
      const i = order[k];
      if (strength[i] !== SHOWN) continue;
      if (wrong[i]) late.push(i);
      else this.stamp(view, i, FILLED, LEVELS - 1);
    }
    for (const i of late) this.stamp(view, i, HOLLOW, LEVELS - 1);
  }

  paintDeep(view) {
    const { wrong, strength } = view;
    const { sorted, ends } = this.sortByDepth(view);
    for (const dim of [true, false]) {
      for (let k = 0, bucket = 0; k < sorted.length; k++) {
        while (k >= ends[bucket]) bucket += 1;
        const i = sorted[k];
        if (strength[i] === HIDDEN || (strength[i] === FAINT) !== dim) continue;
        this.stamp(view, i, dim ? DIM : wrong[i] ? HOLLOW : FILLED, Math.floor((bucket * LEVELS) / BUCKETS));
      }
    }
  }

  /** The samples from far to near by counting: {sorted, ends: where each bucket ends}. */
  sortByDepth({ depth, order, count, reach }) {
    const ends = new Uint32Array(BUCKETS + 1); // at first where each begins
    const of = (i) => Math.max(0, Math.min(BUCKETS - 1, Math.floor(((depth[i] / reach + 1) * BUCKETS) / 2) || 0));
    for (let k = 0; k < count; k++) ends[of(order[k]) + 1] += 1;
    for (let b = 0; b < BUCKETS; b++) ends[b + 1] += ends[b];
    if (this.sorted?.length !== count) this.sorted = new Uint32Array(count);
    for (let k = 0; k < count; k++) this.sorted[ends[of(order[k])]++] = order[k];
    return { sorted: this.sorted, ends };
  }

  stamp({ x, y, labels }, i, kind, level) {
    const [fx, fy] = [x[i] * this.ratio, y[i] * this.ratio];
    const edge = this.sprites.reach;
    if (!(fx >= -edge && fx < this.width + edge && fy >= -edge && fy < this.height + edge)) return; // NaN neither
    const [px, py] = [Math.floor(fx), Math.floor(fy)];
    const sprite = this.sprites.get(labels[i], kind, level, (fx - px >= 0.5 ? 1 : 0) + (fy - py >= 0.5 ? 2 : 0), this.stride);
    blend(this.buffer, (py + this.pad) * this.stride + px + this.pad, sprite);
  }
}

/** Red and blue share one multiplication; green has its own. Whatever is touched becomes opaque. */
function blend(buffer, base, { offsets, rgb: colours, alpha }) {
  for (let k = 0; k < offsets.length; k++) {
    const at = base + offsets[k];
    const [over, a] = [colours[k], alpha[k]];
    const under = buffer[at];
    const rest = 256 - a;
    const redBlue = (Math.imul(over & 0xff00ff, a) + Math.imul(under & 0xff00ff, rest)) >>> 8;
    const green = (Math.imul(over & 0xff00, a) + Math.imul(under & 0xff00, rest)) >>> 8;
    buffer[at] = 0xff000000 | (redBlue & 0xff00ff) | (green & 0xff00);
  }
}
