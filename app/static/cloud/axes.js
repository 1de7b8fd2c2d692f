// The ground of a point cloud: grid, ticks and titles in the plane, the three directions in 3-D.

import { formatTick } from "../kit/format.js";
import { line } from "../kit/canvas.js";
import { drawAxes, label } from "../latents/overlays.js";

const MARGIN = { l: 50, r: 10, t: 10, b: 38 };
const TICK_PX = 78; // about this far apart

/** Where the samples are drawn on a surface of w × h. */
export function plotRect(w, h, deep) {
  if (deep) return { x: 0, y: 0, w, h };
  return { x: MARGIN.l, y: MARGIN.t, w: Math.max(20, w - MARGIN.l - MARGIN.r), h: Math.max(20, h - MARGIN.t - MARGIN.b) };
}

/** Round numbers from low to high, about `count` of them. */
export function ticksOf(low, high, count) {
  const raw = (high - low) / Math.max(1, count);
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((one) => one * unit >= raw) * unit;
  if (!(step > 0) || !Number.isFinite(step)) return [];
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high && ticks.length < 40; k++) ticks.push(k * step);
  return ticks;
}

/** Enough digits to tell the ticks apart, the same for all of them. */
function texts(ticks) {
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : Math.abs(ticks[0]) || 1;
  const size = Math.max(...ticks.map(Math.abs), step);
  if (size >= 1e5 || size < 1e-3) {
    const digits = Math.max(0, Math.min(8, Math.floor(Math.log10(size)) - Math.floor(Math.log10(step * 1.001))));
    return ticks.map((tick) => (tick === 0 ? "0" : tick.toExponential(digits).replace("e+", "e")));
  }
  const digits = Math.max(0, Math.min(12, -Math.floor(Math.log10(step * 1.001))));
  return ticks.map((tick) => (digits > 4 ? formatTick(tick) : tick.toFixed(digits)));
}

export function drawGround(ctx, camera, titles, theme) {
  const { rect, scale, cx, cy, mapping: { ox, oy } } = camera;
  ctx.font = `11px ${theme.font}`;
  ctx.lineWidth = 1;
  const along = ticksOf(cx - rect.w / 2 / scale, cx + rect.w / 2 / scale, rect.w / TICK_PX);
  const up = ticksOf(cy - rect.h / 2 / scale, cy + rect.h / 2 / scale, rect.h / TICK_PX);
  const xOf = (value) => ox + value * scale;
  const yOf = (value) => oy - value * scale;
  const crisply = (tick, ...ends) => {
    ctx.strokeStyle = tick === 0 ? theme.line : theme.grid;
    line(ctx, ...ends.map((value) => Math.round(value) + 0.5));
  };
  for (const tick of along) crisply(tick, xOf(tick), rect.y, xOf(tick), rect.y + rect.h);
  for (const tick of up) crisply(tick, rect.x, yOf(tick), rect.x + rect.w, yOf(tick));
  ctx.fillStyle = theme.muted;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  texts(along).forEach((text, i) => ctx.fillText(text, xOf(along[i]), rect.y + rect.h + 6));
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  texts(up).forEach((text, i) => ctx.fillText(text, rect.x - 6, yOf(up[i])));
  drawTitles(ctx, rect, titles, theme);
}

function drawTitles(ctx, rect, [x, y], theme) {
  ctx.font = `600 13px ${theme.font}`;
  ctx.fillStyle = theme.text;
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  label(ctx, x, rect.x + rect.w - 6, rect.y + rect.h - 5, theme, theme.text);
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  label(ctx, y, rect.x + 6, rect.y + 5, theme, theme.text);
}

/** The three directions from the middle of the samples, named at their ends. */
export function drawDirections(ctx, { mapping, home: { half } }, titles, theme) {
  ctx.font = `600 13px ${theme.font}`;
  drawAxes(ctx, mapping, 1.18 * Math.max(...half), titles, theme, theme.text);
}
