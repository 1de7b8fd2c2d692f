// The inputs as points: the plane of their two numbers with the network's regions, or a projection of more.

import { buffers, mappingOf, projectAll } from "../latents/mapping.js";
import { drawFlat, makeBrush } from "../latents/points.js";
import { clip } from "../kit/canvas.js";
import { rgb } from "../kit/theme.js";

const EDGE = 16; // pixels at the left and below, for the names of the axes
const TINT = 64; // of 255: the regions lie behind the points
const RADIUS = 2.1;

export class Plane {
  /** `setup`: {info, labels, inputs: the tensor of the setup}. */
  constructor({ info, labels, inputs: { data } }) {
    const { scale, window, kind } = info.inputs;
    Object.assign(this, { window, labels, n: labels.length, xy: Float32Array.from(data, (value) => value * scale), at: { n: labels.length, ...buffers(labels.length) }, tints: null });
    this.titles = kind === "plane" ? ["x₁", "x₂"] : ["PC 1", "PC 2"];
    this.reach = 12;
  }

  restyle(colours) {
    this.brush = { ...makeBrush(this.labels, colours), radius: RADIUS };
    this.colours = colours.map(rgb);
    if (this.tints) this.setRegions(this.classes);
  }

  /** The classes of a square grid over the window, the top row first. */
  setRegions(tensor) {
    this.classes = tensor;
    const { data, shape: [rows, columns] } = tensor;
    this.tints = new OffscreenCanvas(columns, rows);
    const image = new ImageData(columns, rows);
    data.forEach((label, i) => image.data.set([...(this.colours[label] ?? [0, 0, 0]), TINT], 4 * i));
    this.tints.getContext("2d").putImageData(image, 0, 0);
  }

  draw(ctx, w, h, { predictions, flags, focus, theme }) {
    const side = Math.min(w - EDGE, h - EDGE);
    const rect = { x: EDGE + (w - EDGE - side) / 2, y: (h - EDGE - side) / 2, w: side, h: side };
    const [x, y, half] = this.window;
    const mapping = mappingOf(rect, x, y, side / 2 / half);
    if (this.tints) ctx.drawImage(this.tints, rect.x, rect.y, side, side);
    this.frame(ctx, rect, theme);
    projectAll(mapping, this.xy, this.n, 2, this.at);
    clip(ctx, rect);
    drawFlat(ctx, { at: this.at, labels: this.labels, predictions: predictions ?? this.labels, brush: this.brush, focus, flags, theme });
    ctx.restore();
  }

  frame(ctx, { x, y, w, h }, theme) {
    ctx.strokeStyle = theme.line;
    ctx.lineWidth = 1;
    ctx.strokeRect(Math.round(x) + 0.5, Math.round(y) + 0.5, Math.round(w) - 1, Math.round(h) - 1);
    ctx.font = `12px ${theme.font}`;
    ctx.fillStyle = theme.muted;
    ctx.textAlign = "center";
    ctx.textBaseline = "bottom";
    ctx.fillText(this.titles[0], x + w / 2, y + h + EDGE);
    ctx.save();
    ctx.translate(x - EDGE, y + h / 2);
    ctx.rotate(-Math.PI / 2);
    ctx.textBaseline = "top";
    ctx.fillText(this.titles[1], 0, 0);
    ctx.restore();
  }
}
