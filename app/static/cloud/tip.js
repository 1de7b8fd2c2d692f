// The tooltip of a sample of a file: with its row, and its picture or caption.

import { formatCount, formatNumber } from "../kit/format.js";
import { Tip } from "../kit/tip.js";
import { tr } from "../kit/words.js";

export class CloudTip extends Tip {
  constructor(host) {
    super(host, "lpc-cloud-tip");
    this.shown = -1;
  }

  hide() {
    super.hide();
    this.shown = -1;
  }

  /** Sample i of `file`; `axes` are the ones drawn. */
  fill(file, i, axes) {
    if (i === this.shown) return;
    this.shown = i;
    const nameOf = (c) => file.info.class_names[c] ?? tr("none of the {n} classes", { n: file.K });
    const coordinates = axes.titles.map((title, a) => `${title} ${formatNumber(axes.xyz[a][i])}`).join("   ");
    this.say({ label: nameOf(file.labels[i]), guess: file.predictions && nameOf(file.predictions[i]), wrong: Boolean(file.wrong[i]),
      values: `${tr("row {n}", { n: formatCount(file.row(i)) })}\n${coordinates}`, caption: file.caption(i) });
    this.drawThumb(file, i);
  }

  async drawThumb(file, i) {
    this.picture.hidden = !file.info.image;
    const image = await file.thumb(i).catch(() => null); // the text stays without its picture
    if (this.shown === i) this.show(image);
  }
}
