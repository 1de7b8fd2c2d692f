// The tooltip of a sample: its picture, class and prediction, and more about it.

import { putImage } from "./canvas.js";
import { el, setText } from "./dom.js";
import { tr } from "./words.js";

const OFF = 14; // pixels from the sample
const SMALL = 260; // a view lower than this would vanish behind its tooltip, which hangs below it

export class Tip {
  constructor(host, testid) {
    this.picture = el("canvas", { class: "lpc-thumb", hidden: true });
    [this.title, this.prediction] = [el("strong"), el("span")];
    this.caption = el("span", { class: "lpc-tip-caption" });
    this.values = el("span", { class: "lpc-tip-values" });
    this.element = el("div", { class: "lpc-tip", hidden: true, testid }, this.picture,
      el("div", { class: "lpc-tip-text" }, this.title, this.prediction, this.caption, this.values));
    host.append(this.element);
  }

  hide() {
    this.element.hidden = true;
  }

  /** About a sample of class `label` that the network takes, rightly or not, for `guess`; null where it was not asked. */
  say({ label, guess, wrong, values, caption = "" }) {
    setText(this.title, label);
    setText(this.prediction, guess === null ? "" : wrong ? tr("predicted as {name}", { name: guess }) : tr("predicted right"));
    this.prediction.classList.toggle("lpc-wrong", wrong);
    setText(this.caption, caption);
    setText(this.values, values);
  }

  /** The sample's picture, or none. */
  show(image) {
    this.picture.hidden = !image;
    if (image) putImage(this.picture, image);
  }

  /** Beside (x, y) in a view of w × h. */
  place(x, y, w, h) {
    this.element.hidden = false;
    const { offsetWidth: tw, offsetHeight: th } = this.element;
    const left = x + OFF + tw > w ? x - OFF - tw : x + OFF;
    const top = h < SMALL ? h + 4 : y + OFF + th > h ? y - OFF - th : y + OFF;
    this.element.style.transform = `translate(${Math.max(2, left)}px, ${Math.max(2, top)}px)`;
  }
}
