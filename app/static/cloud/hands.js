// Hands on a point cloud: drag, wheel, pinch and keys to move; lasso and box to select.

import { within } from "../kit/dom.js";
import { TURNS } from "../kit/keys.js";
import { spreadOf } from "../latents/touch.js";

const CLICK_PX = 4;
const WHEEL = 0.0016;
const KEY_ZOOM = 1.35;

export class Hands {
  /** hooks: {tool(), deep(), pan(dx, dy), turn(dx, dy), zoom(factor, x, y), region(path | null, done, how), click(x, y), point(x, y | none), home(), clear(), use(tool)} */
  constructor(surface, hooks) {
    Object.assign(this, { surface, hooks, pointers: new Map(), path: null, travelled: 0 });
    const on = (name, handler, options) => surface.addEventListener(name, handler, options);
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.up(event, true));
    on("pointerleave", () => !this.pointers.size && hooks.point());
    on("dblclick", (event) => { event.preventDefault(); hooks.home(); });
    on("touchmove", (event) => event.touches.length > 1 && event.preventDefault(), { passive: false }); // two fingers are for the view
    on("wheel", (event) => this.wheel(event), { passive: false });
    on("keydown", (event) => this.key(event));
    on("dragstart", (event) => event.preventDefault());
  }

  down(event) {
    if (event.button !== 0) return;
    this.surface.focus({ preventScroll: true });
    this.surface.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, within(this.surface, event));
    this.travelled = 0;
    if (this.pointers.size === 2) this.dropPath();
    else if (this.hooks.tool() !== "move") this.path = [within(this.surface, event)];
  }

  move(event) {
    const [x, y] = within(this.surface, event);
    const before = this.pointers.get(event.pointerId);
    if (!before) return this.hooks.point(x, y);
    const spread = () => spreadOf([...this.pointers.values()]);
    const pinch = this.pointers.size === 2 && spread();
    this.pointers.set(event.pointerId, [x, y]);
    const [dx, dy] = [x - before[0], y - before[1]];
    this.travelled += Math.hypot(dx, dy);
    if (pinch) this.pinch(pinch, spread());
    else if (this.path) this.draw(x, y, event);
    else if (this.hooks.deep() && !event.shiftKey) this.hooks.turn(dx, dy);
    else this.hooks.pan(dx, dy);
  }

  pinch(before, now) {
    this.hooks.pan(now.x - before.x, now.y - before.y);
    if (before.size > 0) this.hooks.zoom(now.size / before.size, now.x, now.y);
  }

  draw(x, y, event) {
    const box = this.hooks.tool() === "box";
    const [x0, y0] = this.path[0];
    if (box) this.path = [[x0, y0], [x, y0], [x, y], [x0, y]];
    else this.path.push([x, y]);
    this.hooks.region(this.path, false, howOf(event));
  }

  up(event, cancelled = false) {
    if (!this.pointers.delete(event.pointerId)) return;
    const [{ path }, still] = [this, this.travelled <= CLICK_PX];
    if (path) this.dropPath();
    if (cancelled) return;
    if (path && !still) this.hooks.region(path, true, howOf(event));
    else if (still && !this.pointers.size) this.hooks.click(...within(this.surface, event), howOf(event));
  }

  dropPath() {
    this.path = null;
    this.hooks.region(null, false, "new");
  }

  wheel(event) {
    if (document.activeElement !== this.surface && !event.ctrlKey) return; // until it is clicked, the page scrolls
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.hooks.zoom(Math.exp(-event.deltaY * lines * WHEEL), ...within(this.surface, event));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.surface) return;
    const action = this.action(event);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  action({ key, shiftKey }) {
    const { hooks } = this;
    if (key === "+" || key === "=") return () => hooks.zoom(KEY_ZOOM);
    if (key === "-" || key === "_") return () => hooks.zoom(1 / KEY_ZOOM);
    if (key === "Home" || key === "0") return () => hooks.home();
    if (key === "Escape") return () => (this.path ? this.dropPath() : hooks.clear());
    if (key in TURNS) {
      const [dx, dy] = TURNS[key];
      return () => (hooks.deep() && !shiftKey ? hooks.turn(dx, dy) : hooks.pan(-4 * dx, -4 * dy));
    }
    const tool = { m: "move", l: "lasso", b: "box" }[key.toLowerCase()];
    return tool && (() => hooks.use(tool));
  }
}

/** Shift adds to what is chosen, Alt takes away from it. */
const howOf = ({ shiftKey, altKey }) => (altKey ? "take" : shiftKey ? "add" : "new");
