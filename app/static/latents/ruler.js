// A small vertical log ruler: the present radius relative to the largest of this run.

import { formatDecade, formatNumber } from "../kit/format.js";
import { label } from "./overlays.js";

const HEIGHT = 118;

/** The mark is at `radius`, which may be on its way; the number is the one that is `told`. */
export function drawRuler(ctx, rect, radius, told, largest, theme) {
  if (!(radius > 0 && largest > 0) || rect.h < 260) return;
  const decades = Math.max(2, Math.ceil(-Math.log10(radius / largest) + 0.15));
  const [x, top] = [rect.x + rect.w - 18, rect.y + rect.h - HEIGHT - 34];
  const yOf = (share) => top + (HEIGHT * -Math.log10(share)) / decades;
  ctx.font = `11px ${theme.font}`;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  drawScale(ctx, x, top, decades, yOf, theme);
  const y = yOf(radius / largest);
  ctx.fillStyle = theme.text;
  ctx.fillRect(x - 2, y, 4, top + HEIGHT - y);
  ctx.beginPath();
  ctx.arc(x, y, 4.5, 0, 2 * Math.PI);
  ctx.fill();
  ctx.font = `600 12px ${theme.font}`;
  label(ctx, `R ${formatNumber(told)}`, x + 6, top + HEIGHT + 17, theme, theme.text);
}

function drawScale(ctx, x, top, decades, yOf, theme) {
  ctx.strokeStyle = theme.line;
  ctx.lineWidth = 4;
  ctx.lineCap = "round";
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x, top + HEIGHT);
  ctx.stroke();
  ctx.lineCap = "butt";
  const every = Math.ceil(decades / 4);
  for (let e = 0; e <= decades; e += every) {
    label(ctx, e ? `${formatDecade(-e)}` : "max", x - 10, yOf(10 ** -e), theme);
  }
}
