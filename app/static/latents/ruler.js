// A vertical log strip that always shows the shell shrinking, whatever the zoom: R now, where it began, where it was.

import { line } from "../kit/canvas.js";
import { formatDecade, formatNumber } from "../kit/format.js";
import { label } from "./overlays.js";

const HEIGHT = 150;
const LEAST = 90; // pixels of a view that has room for it
const WORDED = 50; // pixels at the right of it that have room for the scale's words, too
const DECADES = 3; // shown from the beginning, so that a fall by any factor is a fall by that many decades of the strip

/** How many decades below the largest radius the strip has. */
export const decadesOf = (radius, largest) => Math.max(DECADES, Math.ceil(-Math.log10(radius / largest) + 0.15));

/** It stands in the `beside` pixels at the right of `rect`. The mark is at `radius`, which may be on its way; the number is the one that is `told`. Ticks: `rings` [{radius}], the shells of earlier decades of γ. */
export function drawRuler(ctx, rect, beside, { radius, told, largest, rings }, theme) {
  if (!(radius > 0 && largest > 0) || rect.h < LEAST) return;
  const decades = decadesOf(radius, largest);
  const height = Math.min(HEIGHT, rect.h - 62);
  const [x, top] = [rect.x + rect.w + beside - 14, rect.y + rect.h - height - 30];
  const yOf = (share) => top + (height * -Math.log10(share)) / decades;
  ctx.font = `11px ${theme.font}`;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  drawScale(ctx, { x, top, height, decades, yOf, worded: beside > WORDED }, theme);
  ctx.fillStyle = theme.muted;
  for (const ring of rings) ctx.fillRect(x - 7, yOf(ring.radius / largest) - 0.5, 14, 1.5);
  const y = yOf(radius / largest);
  ctx.fillStyle = theme.text;
  ctx.fillRect(x - 2, y, 4, top + height - y);
  ctx.beginPath();
  ctx.arc(x, y, 4.5, 0, 2 * Math.PI);
  ctx.fill();
  ctx.font = `600 12px ${theme.font}`;
  label(ctx, `R ${formatNumber(told)}`, x + 6, top + height + 15, theme, theme.text);
}

/** Decades in words, or as marks alone. */
function drawScale(ctx, { x, top, height, decades, yOf, worded }, theme) {
  ctx.strokeStyle = theme.line;
  ctx.lineWidth = 4;
  ctx.lineCap = "round";
  line(ctx, x, top, x, top + height);
  ctx.lineCap = "butt";
  ctx.fillStyle = theme.muted;
  const every = Math.ceil(decades / Math.max(1, Math.floor(height / 36)));
  for (let e = 0; e <= decades; e += every) {
    if (worded) label(ctx, e ? `${formatDecade(-e)}` : "max", x - 10, yOf(10 ** -e), theme);
    else ctx.fillRect(x - 4, yOf(10 ** -e) - 0.5, 8, 1);
  }
}
