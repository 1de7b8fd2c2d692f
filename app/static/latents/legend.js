// The classes as chips: colour and shape beside each name; a click keeps that class bright and dims the rest.

import { el } from "../kit/dom.js";
import { outlineOf, shapeOf, trace } from "../kit/palette.js";

export class Legend {
  constructor(host, changed) {
    Object.assign(this, { host, changed, focus: new Set(), key: "" });
  }

  draw(names, colours) {
    const key = JSON.stringify([names, colours]);
    if (key === this.key) return;
    this.key = key;
    this.focus.clear();
    this.host.classList.toggle("lpc-many", names.length > 12);
    this.host.replaceChildren(...names.map((name, c) => this.chip(name, c, colours[c])));
  }

  chip(name, index, colour) {
    const mark = swatch(shapeOf(index), colour);
    const chip = el("button", { type: "button", class: "lpc-chip", "aria-pressed": "false", title: `Show ${name} alone` }, mark,
      el("span", { text: name }));
    chip.addEventListener("click", () => this.toggle(index));
    return chip;
  }

  toggle(index) {
    if (!this.focus.delete(index)) this.focus.add(index);
    if (this.focus.size === this.host.children.length) this.focus.clear();
    [...this.host.children].forEach((chip, c) => {
      chip.setAttribute("aria-pressed", String(this.focus.has(c)));
      chip.classList.toggle("lpc-dim", this.focus.size > 0 && !this.focus.has(c));
    });
    this.changed();
  }
}

function swatch(shape, colour) {
  const ratio = Math.max(2, window.devicePixelRatio || 1);
  const canvas = el("canvas", { width: 14 * ratio, height: 14 * ratio, "aria-hidden": "true" });
  const ctx = canvas.getContext("2d");
  ctx.scale(ratio, ratio);
  ctx.beginPath();
  trace(ctx, outlineOf(shape), 7, 7, 4.6);
  ctx.fillStyle = colour;
  ctx.fill();
  return canvas;
}
