// What lies over the samples: class means, predicted points, the head's rows, the sample pointed at, a region being drawn.

import { clip, line } from "../kit/canvas.js";
import { trace } from "../kit/palette.js";
import { projectVector } from "../latents/mapping.js";
import { drawCrosses, drawMeans, drawRing, label } from "../latents/overlays.js";

const EDGE = 9; // pixels a mark at the border stays inside
const ROWS_SHARE = 0.42; // longest head row, as a share of the view

/** Draws over the cloud `picture` in CSS pixels; more: {layers, gamma, focus, hover, path} (see picture.js). */
export function drawOver(ctx, picture, { layers, gamma, focus, hover, path }) {
  const { camera, axes, file, theme, at, spots } = picture;
  const { rect } = camera;
  clip(ctx, rect);
  ctx.translate(rect.x, rect.y);
  if (layers.head && axes.head) drawHead(ctx, picture, focus);
  if (layers.means && axes.means) drawMeans(ctx, camera.project(axes.means, file.K, spots), file.K, theme);
  if (layers.points && axes.points && file.G) drawPredicted(ctx, picture, gamma, focus);
  if (hover >= 0) drawRing(ctx, at.x[hover], at.y[hover], theme);
  ctx.translate(-rect.x, -rect.y);
  if (path) region(ctx, path, theme);
  ctx.restore();
}

function drawPredicted(ctx, { camera, axes, file, spots, colours, theme }, gamma, focus) {
  camera.project(gamma.columns(axes.points, file.K), file.K, spots);
  const { w, h } = camera.rect;
  for (let c = 0; c < file.K; c++) {
    const [x, y] = [spots.x[c], spots.y[c]];
    if (!Number.isFinite(x) || (x >= 0 && x <= w && y >= 0 && y <= h)) continue;
    if (!focus.size || focus.has(c)) pointer(ctx, x, y, w, h, colours[c]);
  }
  drawCrosses(ctx, spots, colours, focus, theme);
}

/** A triangle at the border that points to where a cross lies outside. */
function pointer(ctx, x, y, w, h, colour) {
  const [cx, cy] = [w / 2, h / 2];
  const factor = Math.min((cx - EDGE) / Math.max(1e-9, Math.abs(x - cx)), (cy - EDGE) / Math.max(1e-9, Math.abs(y - cy)));
  const angle = Math.atan2(y - cy, x - cx);
  ctx.save();
  ctx.translate(cx + factor * (x - cx), cy + factor * (y - cy));
  ctx.rotate(angle);
  ctx.fillStyle = colour;
  ctx.beginPath();
  trace(ctx, [8, 0, -4, 5.5, -4, -5.5], 0, 0, 1);
  ctx.fill();
  ctx.restore();
}

/** Each class's row of W as a line from the origin, all on one scale of their own. */
function drawHead(ctx, { camera, axes, file, colours, theme }, focus) {
  const { mapping, rect } = camera;
  const { x: [ox], y: [oy] } = camera.project(axes.origin.map((value) => [value]), 1, { x: [], y: [], depth: [] });
  const rows = colours.map((_, c) => projectVector(mapping, ...axes.head.map((values) => values[c])));
  const longest = Math.max(...rows.map(([dx, dy]) => Math.hypot(dx, dy) || 0));
  if (!(longest > 0)) return;
  const factor = (ROWS_SHARE * Math.min(rect.w, rect.h)) / longest;
  rows.forEach(([dx, dy], c) => {
    const [x, y] = [ox + factor * dx, oy + factor * dy];
    ctx.globalAlpha = focus.size && !focus.has(c) ? 0.1 : 0.9;
    ctx.strokeStyle = colours[c];
    ctx.lineWidth = 2;
    line(ctx, ox, oy, x, y);
    ctx.font = `11px ${theme.font}`;
    if (file.K <= 12) label(ctx, `W ${file.info.class_names[c].slice(0, 12)}`, x, y - 8, theme, theme.text);
  });
  ctx.globalAlpha = 1;
}

function region(ctx, path, theme) {
  ctx.beginPath();
  trace(ctx, path.flat(), 0, 0, 1);
  ctx.fillStyle = theme.text;
  ctx.globalAlpha = 0.07;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.lineWidth = 1.5;
  ctx.setLineDash([5, 4]);
  ctx.strokeStyle = theme.text;
  ctx.stroke();
  ctx.setLineDash([]);
}
