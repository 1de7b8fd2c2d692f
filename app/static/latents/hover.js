// The tooltip of the sample under the pointer (class, prediction, coordinates, thumbnail), which all linked views hear of.

import { thumbOf } from "../kit/canvas.js";
import { within } from "../kit/dom.js";
import { formatNumber } from "../kit/format.js";
import { Tip } from "../kit/tip.js";
import { nearest } from "./points.js";

const REACH = 12; // pixels

export class Hover {
  /** surface hears the pointer; `source()` gives {at, scene, setup, titles, reach} of what is drawn, or null. */
  constructor(surface, host, source, wantThumbs, linked) {
    Object.assign(this, { surface, source, wantThumbs, linked, pointer: null, kept: -1, thumbs: null, asked: false, shown: -1, pictured: -1 });
    this.tip = new Tip(host, "lpc-tip");
    surface.addEventListener("pointermove", (event) => this.move(event));
    surface.addEventListener("pointerdown", (event) => this.move(event));
    surface.addEventListener("pointerleave", () => this.leave());
  }

  move(event) {
    this.pointer = within(this.surface, event);
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
    const { title, prediction, values } = this.tip;
    return [title, prediction, values].map((node) => node.textContent).join(", ");
  }

  hide() {
    this.tip.hide();
    if (this.shown >= 0) this.linked.point(-1);
    this.shown = -1;
  }

  /** Forgets pictures of the run before. */
  clear() {
    Object.assign(this, { thumbs: null, asked: false, pictured: -1 });
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
    if (!drawn || index < 0 || index >= drawn.scene.n) return this.hide(); // a run may have fewer samples than the one before
    this.fill(index, drawn);
    this.tip.place(drawn.at.x[index], drawn.at.y[index], this.surface.clientWidth, this.surface.clientHeight);
  }

  fill(index, { scene, setup, titles }) {
    const [label, guess] = [setup.labels[index], scene.predictions[index]];
    const nameOf = (c) => setup.info.class_names[c] ?? String(c);
    const row = scene.xy.subarray(index * scene.p, (index + 1) * scene.p);
    this.tip.say({ label: nameOf(label), guess: nameOf(guess), wrong: guess !== label, values: [...row].map((value, i) => `${titles[i]} ${formatNumber(value)}`).join("   ") });
    this.drawThumb(index, setup.info.image);
    this.shown = index;
    this.linked.point(index);
  }

  /** The pictures of a run that has any are asked for once. */
  drawThumb(index, image) {
    if (image && !this.thumbs && !this.asked) this.asked = this.wantThumbs() !== false;
    const there = image && this.thumbs;
    if (!there || index !== this.pictured) this.tip.show(there ? thumbOf(this.thumbs, index) : null);
    this.pictured = there ? index : -1;
  }
}
