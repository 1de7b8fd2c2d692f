// What theory adds to the picture: shell, predicted radius, ghosts, collapse points, class means, force arrows.

import { line } from "../kit/canvas.js";
import { formatDecade } from "../kit/format.js";
import { PLUS, trace } from "../kit/palette.js";
import { projectVector } from "./mapping.js";

const ARROW_SHARE = 0.18; // longest arrow, as a share of the view's side
const CROSS = 7.5; // half a cross's height in pixels; less for very many classes, and where clouds overlap
const CROSS_SMALL = 4.5;
const START = 7; // pixels an arrow starts from its mean, so that it does not hide a collapsed class

/** Solid circle: mean norm of the latents. Dashed: the norm theory predicts. */
export function drawShell(ctx, { ox, oy, scale }, radius, predicted, theme) {
  ctx.lineWidth = 1.75;
  ctx.strokeStyle = theme.text;
  circle(ctx, ox, oy, radius * scale);
  if (!(predicted > 0)) return;
  ctx.setLineDash([6, 5]);
  ctx.strokeStyle = theme.muted;
  circle(ctx, ox, oy, predicted * scale);
  ctx.setLineDash([]);
}

function circle(ctx, x, y, r) {
  if (!(r > 0.5 && r < 2e4)) return;
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.stroke();
}

/** The sphere as three great circles, the far halves fainter, with the axes through it; without a radius the axes alone. */
export function drawSphere(ctx, mapping, radius, reach, titles, theme) {
  ctx.font = `12px ${theme.font}`;
  drawAxes(ctx, mapping, radius ? 1.22 * radius : 0.8 * reach, titles, theme);
  if (!radius) return;
  const { ox, oy, scale, rotation: m } = mapping;
  ctx.strokeStyle = theme.muted;
  ctx.lineWidth = 1;
  for (const [a, b] of [[0, 1], [1, 2], [0, 2]]) {
    for (const front of [false, true]) {
      ctx.globalAlpha = front ? 0.55 : 0.18;
      ctx.beginPath();
      let drawing = false;
      for (let i = 0; i <= 72; i++) {
        const [c, s] = [Math.cos((i * Math.PI) / 36), Math.sin((i * Math.PI) / 36)];
        const at = (row) => m[3 * row + a] * c + m[3 * row + b] * s;
        const visible = at(2) >= 0 === front;
        if (visible) ctx[drawing ? "lineTo" : "moveTo"](ox + scale * radius * at(0), oy - scale * radius * at(1));
        drawing = visible;
      }
      ctx.stroke();
    }
  }
  ctx.globalAlpha = 1;
}

/** The three axes, named in the context's font at their positive ends. */
export function drawAxes(ctx, mapping, length, titles, theme, colour = theme.muted) {
  const { ox, oy } = mapping;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  titles.slice(0, 3).forEach((title, axis) => {
    const unit = [0, 0, 0].fill(length, axis, axis + 1);
    const [dx, dy] = projectVector(mapping, ...unit);
    ctx.lineWidth = 1;
    ctx.strokeStyle = theme.line;
    line(ctx, ox - dx, oy - dy, ox + dx, oy + dy);
    label(ctx, title, ox + 1.08 * dx, oy + 1.08 * dy, theme, colour);
  });
}

/** Rings where the shell was, labelled with γ where there is room. */
export function drawGhosts(ctx, { ox, oy, scale }, rings, prefix, theme) {
  const seen = rings.map((ring) => ({ ...ring, r: ring.radius * scale })).filter(({ r }) => r > 16 && r < 4_000);
  ctx.lineWidth = 1;
  ctx.strokeStyle = theme.muted;
  ctx.globalAlpha = 0.4;
  for (const { r } of seen) circle(ctx, ox, oy, r);
  ctx.globalAlpha = 1;
  ctx.font = `11px ${theme.font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  let last = Infinity;
  for (const { exponent, r } of seen) {
    if (last - r < 16) continue;
    label(ctx, `${prefix} ${formatDecade(exponent)}`, ox, oy - r, theme);
    last = r;
  }
}

/** Text with a halo of the ground's colour. */
export function label(ctx, text, x, y, theme, colour = theme.muted) {
  ctx.lineWidth = 4;
  ctx.lineJoin = "round";
  ctx.strokeStyle = theme.panel;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
}

/** A cross per class at its predicted collapse point. */
export function drawCrosses(ctx, at, colours, focus, theme, large) {
  colours.forEach((colour, c) => {
    if (!Number.isFinite(at.x[c])) return;
    ctx.globalAlpha = focus.size && !focus.has(c) ? 0.15 : 1;
    ctx.beginPath();
    trace(ctx, PLUS, at.x[c], at.y[c], large ? CROSS : CROSS_SMALL);
    ctx.lineWidth = large ? 3 : 2;
    ctx.strokeStyle = theme.panel;
    ctx.stroke();
    ctx.globalAlpha *= 0.55; // a collapsed class stays visible through its cross
    ctx.fillStyle = colour;
    ctx.fill();
    ctx.globalAlpha /= 0.55;
    ctx.lineWidth = large ? 1.4 : 1;
    ctx.strokeStyle = theme.text;
    ctx.stroke();
  });
  ctx.globalAlpha = 1;
}

/** A ring about the sample that is pointed at, here or in another view. */
export function drawRing(ctx, x, y, theme, radius = 7) {
  for (const [width, colour] of [[5, theme.panel], [2.4, theme.text]]) {
    ctx.lineWidth = width;
    ctx.strokeStyle = colour;
    circle(ctx, x, y, radius);
  }
}

/** A small dot at each class mean. */
export function drawMeans(ctx, at, count, theme) {
  ctx.fillStyle = theme.text;
  for (let c = 0; c < count; c++) {
    if (!Number.isFinite(at.x[c])) continue;
    ctx.beginPath();
    ctx.arc(at.x[c], at.y[c], 1.7, 0, 2 * Math.PI);
    ctx.fill();
  }
}

/** Arrows of the three forces at every mean; one common factor makes the longest 18 % of the view. */
export function drawForces(ctx, mapping, at, forces, count, p, theme) {
  const longest = Math.max(...Array.from({ length: forces.length / p }, (_, i) => Math.hypot(...forces.subarray(p * i, p * i + p)) || 0));
  if (!(longest > 0)) return;
  const unit = (ARROW_SHARE * Math.min(mapping.rect.w, mapping.rect.h)) / longest / mapping.scale;
  const tints = [theme.force.out, theme.force.inward, theme.force.along];
  tints.forEach((tint, kind) => {
    for (let c = 0; c < count; c++) {
      const j = (kind * count + c) * p;
      const [dx, dy] = projectVector(mapping, ...forces.subarray(j, j + p));
      arrow(ctx, at.x[c], at.y[c], dx * unit, dy * unit, tint, theme);
    }
  });
}

function arrow(ctx, x, y, dx, dy, colour, theme) {
  const length = Math.hypot(dx, dy);
  if (!(length > 4)) return;
  const head = Math.min(8, length * 0.5);
  const gap = Math.min(START, length / 3);
  const [ux, uy] = [dx / length, dy / length];
  const [bx, by] = [x + dx - ux * head, y + dy - uy * head];
  for (const [width, tint] of [[5, theme.panel], [2.4, colour]]) {
    ctx.strokeStyle = ctx.fillStyle = tint;
    ctx.lineWidth = width;
    line(ctx, x + ux * gap, y + uy * gap, bx, by);
  }
  const [sx, sy] = [uy * head * 0.55, ux * head * 0.55];
  ctx.beginPath();
  trace(ctx, [x + dx, y + dy, bx - sx, by + sy, bx + sx, by - sy], 0, 0, 1);
  ctx.fill();
}
