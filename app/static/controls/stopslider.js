// A slider over a row of stops: drag, click, arrows, Home and End; says where it is to a screen reader.

import { el } from "../kit/dom.js";
import { placed, Rail } from "./rail.js";

export class StopSlider {
  /** options: {label, testid, onMove(index), describe(index)}; `setStops` gives it its stops. */
  constructor({ label, testid, onMove, describe }) {
    Object.assign(this, { onMove, describe, shares: [0], index: 0 });
    this.marks = el("div", { class: "lpc-film-marks", "aria-hidden": "true" });
    const hooks = { to: (share) => this.move(nearestStop(this.shares, share)), steps: (event) => this.steps(event), by: (step) => this.move(this.index + step) };
    this.rail = new Rail({ label, testid }, hooks, this.marks);
    this.element = this.rail.element;
  }

  /** shares: where each stop lies (0…1, growing); ticks: [{share, text, minor}]. */
  setStops(shares, ticks) {
    this.shares = shares;
    this.rail.setScale(0, shares.length - 1, ticks);
  }

  /** Vertical marks on the rail: [{share, className, title}]. */
  setMarks(marks) {
    this.marks.replaceChildren(...marks.map(({ share, className, title }) => placed(el("i", { class: className, title }), share)));
  }

  steps({ shiftKey }) {
    const far = Math.max(1, Math.round(this.shares.length / 10));
    return shiftKey ? {} : { ArrowRight: 1, ArrowUp: 1, PageUp: far, ArrowLeft: -1, ArrowDown: -1, PageDown: -far, Home: -1e6, End: 1e6 };
  }

  /** By hand. */
  move(index) {
    const to = Math.max(0, Math.min(this.shares.length - 1, index));
    if (to !== this.index) this.onMove(to);
  }

  show(index) {
    this.index = index;
    this.rail.show(this.shares[index], this.shares[index], index, this.describe(index));
  }
}

/** Ticks at the quarters of a row of stops of which `last` is the last. */
export function quarterTicks(last, text) {
  const at = [...new Set([0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * last)))];
  return last > 0 ? at.map((i, k) => ({ share: i / last, text: text(i), minor: k % 2 === 1 })) : [];
}

const nearestStop = (shares, share) => shares.reduce((best, stop, i) => (Math.abs(stop - share) < Math.abs(shares[best] - share) ? i : best), 0);
