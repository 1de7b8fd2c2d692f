// The words of a point cloud: what is drawn and chosen.

import { formatCount } from "../kit/format.js";

/** How many samples are drawn along `axes`, and how many of them chosen. */
export function statusOf({ n, info: { total } }, axes, chosen) {
  const drawn = n ? drawnOf(n, total, axes) : "no samples: the head alone";
  return chosen ? `${formatCount(chosen)} chosen of ${drawn}` : drawn;
}

function drawnOf(n, total, axes) {
  const placed = axes.xyz[0].reduce((sum, value) => sum + Number(Number.isFinite(value)), 0);
  const part = n < total ? `${formatCount(n)} of ${formatCount(total)} samples drawn, every class in proportion` : `${formatCount(n)} samples`;
  return placed < n ? `${part}; ${formatCount(placed)} of them have a place in this view` : part;
}
