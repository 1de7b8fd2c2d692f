// A rail with a thumb, as every slider of the lab has it: its owner says what a share of its length and a key mean.

import { el } from "../kit/dom.js";

export class Rail {
  /** hooks: {to(share) while it is dragged, steps(): what each key is worth, by(step)}; `between` lies over the filled part and under the thumb. */
  constructor({ label, testid }, { to, steps, by }, ...between) {
    Object.assign(this, { to, steps, by, dragging: false });
    this.fill = el("div", { class: "lpc-fill" });
    this.thumb = el("div", { class: "lpc-thumb-knob" });
    this.ticks = el("div", { class: "lpc-ticks", "aria-hidden": "true" });
    this.rail = el("div", { class: "lpc-rail" }, this.fill, ...between, this.thumb, this.ticks);
    this.element = el("div", {
      class: "lpc-slider", role: "slider", tabindex: "0", "aria-label": label, "aria-orientation": "horizontal", "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0, testid,
      on: {
        pointerdown: (event) => this.grab(event), pointermove: (event) => this.dragging && this.drag(event),
        pointerup: () => this.drop(), pointercancel: () => this.drop(), keydown: (event) => this.key(event),
        dragstart: (event) => event.preventDefault(), // of text selected elsewhere
      },
    }, this.rail);
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
    this.to(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)));
  }

  drop() {
    this.dragging = false;
    this.element.classList.remove("lpc-dragging");
  }

  /** Nothing with a modifier that belongs to the browser. */
  key(event) {
    const steps = this.steps(event);
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(steps, event.key)) return;
    event.preventDefault();
    this.by(steps[event.key]);
  }

  /** What the slider's ends are called, and its ticks: [{share, text, minor}]. */
  setScale(low, high, ticks) {
    this.element.setAttribute("aria-valuemin", low);
    this.element.setAttribute("aria-valuemax", high);
    this.ticks.replaceChildren(...ticks.map(({ share, text, minor }) => placed(el("span", { class: minor ? "lpc-tick lpc-minor" : "lpc-tick", text }), share)));
  }

  /** The thumb at one share of the rail, the filled part up to another. */
  show(share, filled, value, text) {
    placed(this.thumb, share);
    this.fill.style.width = `${100 * filled}%`;
    this.element.setAttribute("aria-valuenow", value);
    this.element.setAttribute("aria-valuetext", text);
  }
}

/** Puts an element at a share of the rail's length. */
export function placed(element, share) {
  element.style.left = `${100 * share}%`;
  return element;
}
