// The classes as chips: colour and shape beside each name; a click keeps that class bright and dims the rest.

import { el } from "../kit/dom.js";
import { hatchOf } from "../charts/hatch.js";
import { outlineOf, shapeOf, trace } from "../kit/palette.js";
import { tr } from "../kit/words.js";

export class Legend {
  constructor(host, changed) {
    Object.assign(this, { host, changed, focus: new Set(), names: "", key: "" });
  }

  draw(names, colours, ink) {
    const key = JSON.stringify([names, colours, ink]);
    if (key === this.key) return;
    if (String(names) !== this.names) this.focus.clear(); // other colours are for the same classes
    Object.assign(this, { key, names: String(names) });
    this.host.classList.toggle("lpc-many", names.length > 12);
    this.host.replaceChildren(...names.map((name, c) => this.chip(name, c, colours[c], ink)));
    this.mark();
  }

  chip(name, index, colour, ink) {
    const mark = el("span", { class: "lpc-swatches", "aria-hidden": "true" }, swatch(shapeOf(index), colour), bar(index, colour, ink));
    return el("button", { type: "button", class: "lpc-chip", title: tr("Show {name} alone", { name }), on: { click: () => this.toggle(index) } }, mark, el("span", { text: name }));
  }

  /** Only these classes bright. */
  keep(classes) {
    for (const index of classes) if (index < this.host.children.length && !this.focus.has(index)) this.toggle(index);
  }

  toggle(index) {
    if (!this.focus.delete(index)) this.focus.add(index);
    if (this.focus.size === this.host.children.length) this.focus.clear();
    this.mark();
    this.changed();
  }

  mark() {
    [...this.host.children].forEach((chip, c) => {
      chip.setAttribute("aria-pressed", String(this.focus.has(c)));
      chip.classList.toggle("lpc-dim", this.focus.size > 0 && !this.focus.has(c));
    });
  }
}

/** How the class's bars look in the histograms. */
function bar(index, colour, ink) {
  const canvas = el("canvas", { width: 12, height: 14, class: "lpc-swatch-bar" });
  const ctx = canvas.getContext("2d");
  for (const style of [colour, hatchOf(ctx, index, ink)].filter(Boolean)) {
    ctx.fillStyle = style;
    ctx.fillRect(0, 0, 12, 14);
  }
  return canvas;
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
