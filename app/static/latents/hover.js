// The tooltip of the sample under the pointer (class, prediction, coordinates, thumbnail), which all linked views hear of.

import { el, setText } from "../kit/dom.js";
import { formatNumber } from "../kit/format.js";
import { tr } from "../kit/words.js";
import { nearest } from "./points.js";

const REACH = 12; // pixels
const SMALL = 260; // a picture lower than this would vanish behind its tooltip, which hangs below it

/** The picture of sample `index` among `thumbs` {data, shape}. */
export function imageOf({ data, shape: [, height, width, channels] }, index) {
  const image = new ImageData(width, height);
  for (let i = 0, j = index * width * height * channels; i < width * height; i++, j += channels) {
    const [r, g, b] = channels === 3 ? [data[j], data[j + 1], data[j + 2]] : [data[j], data[j], data[j]];
    image.data.set([r, g, b, 255], 4 * i);
  }
  return image;
}

export class Hover {
  /** surface hears the pointer; `source()` gives {at, scene, setup, titles, reach} of what is drawn, or null. */
  constructor(surface, host, source, wantThumbs, linked) {
    Object.assign(this, { surface, source, wantThumbs, linked, pointer: null, kept: -1, thumbs: null, asked: false, shown: -1 });
    this.picture = el("canvas", { class: "lpc-thumb", hidden: true });
    this.title = el("strong");
    this.prediction = el("span");
    this.values = el("span", { class: "lpc-tip-values" });
    this.tip = el("div", { class: "lpc-tip", hidden: true, "data-testid": "lpc-tip" }, this.picture,
      el("div", { class: "lpc-tip-text" }, this.title, this.prediction, this.values));
    host.append(this.tip);
    surface.addEventListener("pointermove", (event) => this.move(event));
    surface.addEventListener("pointerdown", (event) => this.move(event));
    surface.addEventListener("pointerleave", () => this.leave());
  }

  move(event) {
    const box = this.surface.getBoundingClientRect();
    this.pointer = [event.clientX - box.left, event.clientY - box.top];
    this.kept = -1;
    this.refresh();
  }

  leave() {
    Object.assign(this, { pointer: null, kept: -1 });
    this.hide();
  }

  /** Stays at a sample without a pointer: by keys. */
  keep(index) {
    Object.assign(this, { pointer: null, kept: index });
    this.refresh();
  }

  /** What the tooltip says, to be spoken. */
  words() {
    return [this.title, this.prediction, this.values].map((node) => node.textContent).join(", ");
  }

  hide() {
    this.tip.hidden = true;
    if (this.shown >= 0) this.linked.point(-1);
    this.shown = -1;
  }

  /** Forgets pictures of the run before. */
  clear() {
    this.thumbs = null;
    this.asked = false;
    this.hide();
  }

  setThumbs(tensor) {
    this.thumbs = tensor;
    this.pictured = -1;
    this.refresh();
  }

  /** Looks again under a resting pointer; called after every draw. */
  refresh() {
    if (!this.pointer && this.kept < 0) return;
    const drawn = this.source();
    const index = drawn && this.pointer ? nearest(drawn.at, drawn.scene.n, ...this.pointer, drawn.reach ?? REACH) : this.kept;
    if (!drawn || index < 0) return this.hide();
    this.fill(index, drawn);
    this.place(drawn.at.x[index], drawn.at.y[index]);
  }

  fill(index, { scene, setup, titles }) {
    const names = setup.info.class_names;
    const [label, guess] = [setup.labels[index], scene.predictions[index]];
    const nameOf = (c) => names[c] ?? String(c);
    setText(this.title, nameOf(label));
    setText(this.prediction, guess === label ? tr("predicted right") : tr("predicted as {name}", { name: nameOf(guess) }));
    this.prediction.classList.toggle("lpc-wrong", guess !== label);
    const row = scene.xy.subarray(index * scene.p, (index + 1) * scene.p);
    setText(this.values, [...row].map((value, i) => `${titles[i]} ${formatNumber(value)}`).join("   "));
    if (setup.info.image) this.drawThumb(index);
    else this.picture.hidden = true;
    this.shown = index;
    this.linked.point(index);
  }

  drawThumb(index) {
    if (!this.thumbs) {
      if (!this.asked) this.asked = this.wantThumbs() !== false;
      return;
    }
    this.picture.hidden = false;
    if (index === this.pictured) return;
    const image = imageOf(this.thumbs, index);
    Object.assign(this.picture, { width: image.width, height: image.height });
    this.picture.getContext("2d").putImageData(image, 0, 0);
    this.pictured = index;
  }

  place(x, y) {
    this.tip.hidden = false;
    const { clientWidth: w, clientHeight: h } = this.surface;
    const { offsetWidth: tw, offsetHeight: th } = this.tip;
    const left = x + 14 + tw > w ? x - 14 - tw : x + 14;
    const top = h < SMALL ? h + 4 : y + 14 + th > h ? y - 14 - th : y + 14;
    this.tip.style.transform = `translate(${Math.max(2, left)}px, ${Math.max(2, top)}px)`;
  }
}
