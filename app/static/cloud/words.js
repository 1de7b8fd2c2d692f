// The words of a point cloud: what is drawn and chosen.

import { formatCount } from "../kit/format.js";
import { tr } from "../kit/words.js";

/** How many samples are drawn along `axes`, and how many of them chosen. */
export function statusOf({ n, info: { total } }, axes, chosen) {
  const drawn = n ? drawnOf(n, total, axes) : tr("no samples: the head alone");
  return chosen ? tr("{chosen} chosen of {drawn}", { chosen: formatCount(chosen), drawn }) : drawn;
}

function drawnOf(n, total, axes) {
  const placed = axes.xyz[0].reduce((sum, value) => sum + Number(Number.isFinite(value)), 0);
  const part = n < total ? tr("{n} of {all} samples drawn, every class in proportion", { n: formatCount(n), all: formatCount(total) }) : tr("{n} samples", { n: formatCount(n) });
  return placed < n ? tr("{part}; {n} of them have a place in this view", { part, n: formatCount(placed) }) : part;
}
