// What a point cloud says: of all its samples in a line, and of one in a tooltip.

import { formatCount, formatNumber } from "../kit/format.js";
import { Tip } from "../kit/tip.js";
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

export class CloudTip extends Tip {
  /** Sample i of `file`, with its row, and its picture or caption; `axes` are the ones drawn. */
  async fill(file, i, axes) {
    this.shown = i;
    const nameOf = (c) => file.info.class_names[c] ?? tr("none of the {n} classes", { n: file.K });
    const coordinates = axes.titles.map((title, a) => `${title} ${formatNumber(axes.xyz[a][i])}`).join("   ");
    this.say({ label: nameOf(file.labels[i]), guess: file.predictions && nameOf(file.predictions[i]), wrong: Boolean(file.wrong[i]),
      values: `${tr("row {n}", { n: formatCount(file.rows[i]) })}\n${coordinates}`, caption: file.caption(i) });
    this.picture.hidden = !file.info.image;
    const image = await file.thumb(i).catch(() => null); // the text stays without its picture
    if (this.shown === i) this.show(image);
  }
}
