// Turning the 3-D view: drag or arrow keys to rotate, wheel or two fingers to zoom.

import { TURNED, turnedBy } from "./mapping.js";

export class Spin {
  constructor(surface, changed) {
    Object.assign(this, { surface, changed, ...TURNED, zoom: 1, active: false, last: null });
    surface.addEventListener("pointerdown", (event) => this.grab(event));
    surface.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) surface.addEventListener(end, () => (this.last = null));
    surface.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  grab(event) {
    if (!this.active || event.button !== 0) return;
    this.surface.setPointerCapture(event.pointerId);
    this.last = [event.clientX, event.clientY];
  }

  drag(event) {
    if (!this.active || !this.last) return;
    this.turn(event.clientX - this.last[0], event.clientY - this.last[1]);
    this.last = [event.clientX, event.clientY];
  }

  turn(dx, dy) {
    Object.assign(this, turnedBy(this, dx, dy));
    this.changed();
  }

  wheel(event) {
    if (!this.active) return;
    event.preventDefault();
    this.zoomBy(Math.exp(-event.deltaY * 0.0015));
  }

  zoomBy(factor) {
    this.zoom = Math.max(0.2, Math.min(20, this.zoom * factor));
    this.changed();
  }

  /** Two fingers turn and zoom; what each of them does alone is not heard. */
  pinch(dx, dy, factor) {
    this.last = null;
    this.turn(dx, dy);
    this.zoomBy(factor);
  }

  setActive(active) {
    if (active === this.active) return; // said with every frame, also in the middle of a drag
    this.active = active;
    this.last = null;
    this.surface.classList.toggle("lpc-turnable", active);
    if (!active) this.zoom = 1;
  }
}
