// Fingers on a latent view: one scrolls the page (or turns what is turned sideways), two move and zoom the view.

import { within } from "../kit/dom.js";

/** The middle of two points and their distance: {x, y, size}. */
export const spreadOf = ([[ax, ay], [bx, by]]) => ({ x: (ax + bx) / 2, y: (ay + by) / 2, size: Math.hypot(ax - bx, ay - by) });

export class Touch {
  /** move(dx, dy, factor, x, y): the two fingers' middle moved, and spread, about (x, y). */
  constructor(surface, move) {
    Object.assign(this, { surface, move, before: null });
    const on = (name, handler) => surface.addEventListener(name, handler, { capture: true, passive: false });
    on("touchstart", (event) => this.start(event));
    on("touchmove", (event) => this.drag(event));
    for (const end of ["touchend", "touchcancel"]) on(end, () => (this.before = null));
  }

  /** Plotly below would pan with one finger, and keep the page from scrolling. */
  start(event) {
    event.stopPropagation();
    this.before = event.touches.length === 2 ? this.spread(event.touches) : null;
  }

  drag(event) {
    if (event.touches.length !== 2) return;
    event.preventDefault();
    const now = this.spread(event.touches);
    const { before } = this;
    this.before = now;
    if (before) this.move(now.x - before.x, now.y - before.y, before.size > 0 ? now.size / before.size : 1, now.x, now.y);
  }

  spread(touches) {
    return spreadOf([...touches].map((touch) => within(this.surface, touch)));
  }
}

/** A wheel scrolls the page until `surface` has been clicked (focused) or Ctrl is held. */
export function guardWheel(surface) {
  surface.addEventListener("wheel", (event) => {
    if (!surface.contains(document.activeElement) && !event.ctrlKey) event.stopImmediatePropagation();
  }, { capture: true });
}
