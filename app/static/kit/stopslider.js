// A slider over a row of stops: drag, click, arrows, Home and End; says where it is to a screen reader.

import { el } from "./dom.js";

export class StopSlider {
  /** options: {label, testid, onMove(index), describe(index)}; `setStops` gives it its stops. */
  constructor({ label, testid, onMove, describe }) {
    Object.assign(this, { onMove, describe, shares: [0], index: 0 });
    this.fill = el("div", { class: "lpc-fill" });
    this.marks = el("div", { class: "lpc-film-marks", "aria-hidden": "true" });
    this.ticks = el("div", { class: "lpc-ticks", "aria-hidden": "true" });
    this.thumb = el("div", { class: "lpc-thumb-knob" });
    this.rail = el("div", { class: "lpc-rail" }, this.fill, this.marks, this.thumb, this.ticks);
    this.element = el("div", {
      class: "lpc-slider", role: "slider", tabindex: "0", "aria-label": label, "aria-orientation": "horizontal", testid,
      on: {
        pointerdown: (event) => this.grab(event), pointermove: (event) => this.dragging && this.drag(event),
        pointerup: () => this.drop(), pointercancel: () => this.drop(), keydown: (event) => this.key(event),
        dragstart: (event) => event.preventDefault(), // of text selected elsewhere
      },
    }, this.rail);
  }

  /** shares: where each stop lies (0…1, growing); ticks: [{share, text, minor}]. */
  setStops(shares, ticks) {
    this.shares = shares;
    this.element.setAttribute("aria-valuemin", 0);
    this.element.setAttribute("aria-valuemax", shares.length - 1);
    this.ticks.replaceChildren(...ticks.map(({ share, text, minor }) => {
      const tick = el("span", { class: minor ? "lpc-tick lpc-minor" : "lpc-tick", text });
      tick.style.left = `${100 * share}%`;
      return tick;
    }));
  }

  /** Vertical marks on the rail: [{share, className, title}]. */
  setMarks(marks) {
    this.marks.replaceChildren(...marks.map(({ share, className, title }) => {
      const mark = el("i", { class: className, title });
      mark.style.left = `${100 * share}%`;
      return mark;
    }));
  }

  grab(event) {
    if (event.button !== 0) return;
    this.dragging = true;
    this.element.setPointerCapture(event.pointerId);
    this.element.classList.add("lpc-dragging");
    this.drag(event);
  }

  drag(event) {
    const box = this.rail.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    let best = 0;
    this.shares.forEach((stop, i) => Math.abs(stop - share) < Math.abs(this.shares[best] - share) && (best = i));
    this.move(best);
  }

  drop() {
    this.dragging = false;
    this.element.classList.remove("lpc-dragging");
  }

  key(event) {
    const far = Math.max(1, Math.round(this.shares.length / 10));
    const steps = { ArrowRight: 1, ArrowUp: 1, PageUp: far, ArrowLeft: -1, ArrowDown: -1, PageDown: -far, Home: -1e6, End: 1e6 };
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(this.index + steps[event.key]);
  }

  /** By hand. */
  move(index) {
    const to = Math.max(0, Math.min(this.shares.length - 1, index));
    if (to !== this.index) this.onMove(to);
  }

  show(index) {
    this.index = index;
    const percent = `${100 * this.shares[index]}%`;
    this.thumb.style.left = percent;
    this.fill.style.width = percent;
    this.element.setAttribute("aria-valuenow", index);
    this.element.setAttribute("aria-valuetext", this.describe(index));
  }
}
