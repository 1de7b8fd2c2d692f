// Draws the samples as small polygons, a few of one class per path: several times quicker than stamping pictures.

import { outlineOf, shapeOf, trace } from "../kit/palette.js";

const RADIUS = 3.1;
const BATCH = 8; // samples per path; longer paths rasterise slower
const OPACITY = 0.82;
const PALE = 0.12; // of that, for samples beside the chosen ones

/** What stays the same for a run: each class's outline, and the samples in batches of one class, in mixed order. */
export function makeBrush(labels, colours) {
  const radius = labels.length > 4_000 ? RADIUS * 0.75 : RADIUS;
  return { radius, colours, outlines: colours.map((_, c) => outlineOf(shapeOf(c))), batches: batchesOf(labels, colours.length) };
}

function batchesOf(labels, count) {
  const batches = [];
  const open = Array.from({ length: count }, () => []);
  labels.forEach((label, i) => {
    if (!open[label]) return;
    open[label].push(i);
    if (open[label].length < BATCH) return;
    batches.push({ label, indices: open[label] });
    open[label] = [];
  });
  open.forEach((indices, label) => indices.length && batches.push({ label, indices }));
  return batches;
}

const dimmed = (focus, label) => focus.size > 0 && !focus.has(label);

/** All samples of a plane at `at` (pixels): right ones filled, wrong ones hollow and on top; flagged ones, if there are any, over pale others. */
export function drawFlat(ctx, what) {
  if (what.flags) drawThose(ctx, what, 0, PALE);
  drawThose(ctx, what, 1, 1);
}

/** The samples with flag `flag`; without flags all of them. */
function drawThose(ctx, { at, labels, predictions, brush, focus, flags, theme }, flag, strength) {
  const wrong = [];
  for (const { label, indices } of brush.batches) {
    ctx.globalAlpha = (dimmed(focus, label) ? 0.08 : OPACITY) * strength;
    ctx.fillStyle = brush.colours[label];
    ctx.beginPath();
    for (const i of indices) {
      if (flags && flags[i] !== flag) continue;
      if (predictions[i] === label) trace(ctx, brush.outlines[label], at.x[i], at.y[i], brush.radius);
      else wrong.push(i);
    }
    ctx.fill();
  }
  for (const i of wrong) drawHollow(ctx, at, i, labels[i], brush, focus, theme, strength);
  ctx.globalAlpha = 1;
}

/** The same from far to near; near samples are larger and stronger. */
export function drawDeep(ctx, { at, n, labels, predictions, brush, focus, flags, theme, order, reach }) {
  for (let k = 0; k < n; k++) {
    const i = order[k];
    const label = labels[i];
    if (!brush.outlines[label]) continue;
    const near = 0.5 + 0.5 * Math.max(-1, Math.min(1, at.depth[i] / reach));
    const strength = (0.3 + 0.7 * near) * (flags && !flags[i] ? PALE : 1);
    if (predictions[i] !== label) {
      drawHollow(ctx, at, i, label, brush, focus, theme, strength);
      continue;
    }
    ctx.globalAlpha = (dimmed(focus, label) ? 0.08 : OPACITY) * strength;
    ctx.fillStyle = brush.colours[label];
    ctx.beginPath();
    trace(ctx, brush.outlines[label], at.x[i], at.y[i], brush.radius * (0.75 + 0.45 * near));
    ctx.fill();
  }
  ctx.globalAlpha = 1;
}

function drawHollow(ctx, at, i, label, brush, focus, theme, strength = 1) {
  ctx.globalAlpha = dimmed(focus, label) ? 0.1 : strength;
  ctx.fillStyle = theme.panel;
  ctx.strokeStyle = brush.colours[label];
  ctx.lineWidth = 1.7;
  ctx.beginPath();
  trace(ctx, brush.outlines[label], at.x[i], at.y[i], brush.radius + 0.7);
  ctx.fill();
  ctx.stroke();
}

/** Indices from far to near. */
export function depthOrder(depth, n, order) {
  const result = order?.length === n ? order : Uint32Array.from({ length: n }, (_, i) => i);
  return result.sort((a, b) => depth[a] - depth[b]);
}

/** The sample nearest to (x, y), less than `reach` pixels away; −1 when there is none. By its `strength` (n) a sample is 0 hidden, 1 faint or 2 bright: bright ones come before faint ones. */
export function nearest(at, n, x, y, reach, strength = null) {
  let [best, least] = [-1, Infinity];
  for (let i = 0; i < n; i++) {
    const distance = (at.x[i] - x) ** 2 + (at.y[i] - y) ** 2;
    if (!(distance < reach * reach) || strength?.[i] === 0) continue;
    const worth = distance + (strength?.[i] === 1 ? reach * reach : 0);
    if (worth < least) [best, least] = [i, worth];
  }
  return best;
}
