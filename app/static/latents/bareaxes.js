// Axes before Plotly has arrived: the same plot area with nothing drawn in it, so that the points move at once.

import { MARGIN } from "./axes.js";

export class BareAxes {
  constructor(host) {
    Object.assign(this, { host, half: 1, ready: true });
  }

  where() {
    const [w, h] = [this.host.clientWidth - MARGIN.l - MARGIN.r, this.host.clientHeight - MARGIN.t - MARGIN.b];
    return { rect: { x: MARGIN.l, y: MARGIN.t, w, h }, cx: 0, cy: 0, scale: Math.min(w, h) / 2 / this.half };
  }

  lookAt(half) {
    this.half = half;
  }

  draw() {}
  setTitles() {}
  setTraces() {}
  resize() {}
  destroy() {}
}
