// Draws the samples: one small picture per class, stamped wherever a sample is.

import { shapeOf, trace } from "./palette.js";

const SIZE = 18; // CSS pixels of a sprite's box
const RADIUS = 3.1;

/** Sprites of every class: right ones filled, wrong ones hollow. */
export function makeSprites(colours, theme, ratio, count = 0) {
  const radius = count > 4_000 ? RADIUS * 0.8 : RADIUS;
  const draw = (hollow) => colours.map((colour, c) => sprite(shapeOf(c), colour, theme, ratio, radius, hollow));
  return { right: draw(false), wrong: draw(true) };
}

function sprite(shape, colour, theme, ratio, radius, hollow) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.round(SIZE * ratio);
  const ctx = canvas.getContext("2d");
  ctx.scale(canvas.width / SIZE, canvas.height / SIZE);
  ctx.beginPath();
  trace(ctx, shape, SIZE / 2, SIZE / 2, hollow ? radius + 0.6 : radius);
  ctx.fillStyle = hollow ? theme.background : colour;
  ctx.strokeStyle = hollow ? colour : theme.background;
  ctx.lineWidth = hollow ? 1.8 : 0.6;
  ctx.globalAlpha = hollow ? 1 : 0.88;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.stroke();
  return canvas;
}

/** Stamps all samples at `at` (pixels). `focus` is a set of classes to keep bright, empty for all. */
export function drawPoints(ctx, { at, n, labels, predictions, sprites, focus, order, depthScale }) {
  const half = SIZE / 2;
  for (let k = 0; k < n; k++) {
    const i = order ? order[k] : k;
    const label = labels[i];
    const picture = (predictions[i] === label ? sprites.right : sprites.wrong)[label];
    if (!picture) continue;
    const near = depthScale ? 0.5 + 0.5 * Math.max(-1, Math.min(1, at.depth[i] / depthScale)) : 1;
    ctx.globalAlpha = (focus.size && !focus.has(label) ? 0.08 : 1) * (depthScale ? 0.3 + 0.7 * near : 1);
    const size = depthScale ? SIZE * (0.75 + 0.4 * near) : SIZE;
    ctx.drawImage(picture, at.x[i] - (depthScale ? size / 2 : half), at.y[i] - (depthScale ? size / 2 : half), size, size);
  }
  ctx.globalAlpha = 1;
}

/** Indices from far to near. */
export function depthOrder(depth, n, order) {
  const result = order?.length === n ? order : Uint32Array.from({ length: n }, (_, i) => i);
  return result.sort((a, b) => depth[a] - depth[b]);
}

/** The sample nearest to (x, y), at most `reach` pixels away; −1 when there is none. */
export function nearest(at, n, x, y, reach) {
  let [best, distance] = [-1, reach * reach];
  for (let i = 0; i < n; i++) {
    const d = (at.x[i] - x) ** 2 + (at.y[i] - y) ** 2;
    if (d < distance) [best, distance] = [i, d];
  }
  return best;
}
