// The tooltip of a sample: picture or caption, class, prediction, row in the file, coordinates.

import { el, setText } from "../kit/dom.js";
import { formatCount, formatNumber } from "../kit/format.js";
import { tr } from "../kit/words.js";

export class CloudTip {
  constructor(host) {
    this.picture = el("canvas", { class: "lpc-thumb", hidden: true });
    [this.title, this.prediction] = [el("strong"), el("span")];
    this.caption = el("span", { class: "lpc-cloud-caption" });
    this.values = el("span", { class: "lpc-tip-values" });
    this.element = el("div", { class: "lpc-tip", hidden: true, testid: "lpc-cloud-tip" }, this.picture,
      el("div", { class: "lpc-tip-text" }, this.title, this.prediction, this.caption, this.values));
    this.shown = -1;
    host.append(this.element);
  }

  hide() {
    this.element.hidden = true;
    this.shown = -1;
  }

  /** About sample i of `file` at (x, y) of a view w × h; `axes` are the ones drawn. */
  show(file, i, axes, x, y, w, h) {
    if (i !== this.shown) this.fill(file, i, axes);
    this.element.hidden = false;
    const { offsetWidth: tw, offsetHeight: th } = this.element;
    const left = x + 14 + tw > w ? x - 14 - tw : x + 14;
    const top = y + 14 + th > h ? y - 14 - th : y + 14;
    this.element.style.transform = `translate(${Math.max(2, left)}px, ${Math.max(2, top)}px)`;
  }

  fill(file, i, axes) {
    this.shown = i;
    const nameOf = (c) => file.info.class_names[c] ?? tr("none of the {n} classes", { n: file.K });
    setText(this.title, nameOf(file.labels[i]));
    const guess = file.predictions?.[i];
    setText(this.prediction, guess === undefined ? "" : file.wrong[i] ? tr("predicted as {name}", { name: nameOf(guess) }) : tr("predicted right"));
    this.prediction.classList.toggle("lpc-wrong", Boolean(file.wrong[i]));
    setText(this.caption, file.caption(i));
    const coordinates = axes.titles.map((title, a) => `${title} ${formatNumber(axes.xyz[a][i])}`).join("   ");
    setText(this.values, `${tr("row {n}", { n: formatCount(file.row(i)) })}\n${coordinates}`);
    this.drawThumb(file, i);
  }

  async drawThumb(file, i) {
    this.picture.hidden = !file.info.image;
    if (!file.info.image) return;
    const image = await file.thumb(i).catch(() => null); // the text stays without its picture
    if (!image || this.shown !== i) return;
    Object.assign(this.picture, { width: image.width, height: image.height });
    this.picture.getContext("2d").putImageData(image, 0, 0);
  }
}
