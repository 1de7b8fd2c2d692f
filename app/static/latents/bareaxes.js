// Axes before Plotly has arrived: the same plot area with nothing drawn in it, so that the points move at once.

import { margins } from "./axes.js";

export class BareAxes {
  constructor(host) {
    Object.assign(this, { host, half: 1, cx: 0, cy: 0, ready: true });
  }

  where() {
    const { l, r, t, b } = margins(this.host.clientWidth);
    const [w, h] = [this.host.clientWidth - l - r, this.host.clientHeight - t - b];
    return { rect: { x: l, y: t, w, h }, cx: this.cx, cy: this.cy, scale: Math.min(w, h) / 2 / this.half };
  }

  lookAt(half, cx = 0, cy = 0) {
    Object.assign(this, { half, cx, cy });
  }

  draw() {}
  setTitles() {}
  setTraces() {}
  resize() {}
  destroy() {}
}
