// Between two received frames: positions move in a straight line over the measured interval between frames.

const ARRAYS = ["xy", "means", "collapse_points", "forces"];
const SCALARS = ["norm_mean", "predicted_radius", "gamma"];
const MIN_MS = 30;
const MAX_MS = 250;
const LATE_MS = 300; // the page was busy for longer: show where things are, not how they came there

/** Whether two scenes show the same thing at different times, so that one may glide into the other. */
export function comparable(a, b) {
  return Boolean(a) && a.info.run === b.info.run && a.n === b.n && a.p === b.p
    && a.info.projection === b.info.projection && String(a.info.nodes) === String(b.info.nodes);
}

export class Tween {
  constructor() {
    this.clear();
  }

  clear() {
    this.from = this.to = this.shown = null;
    this.interval = 40;
    this.arrived = 0;
  }

  /** A new frame: glide to it from whatever is on the screen now. */
  push(scene, now) {
    const gap = now - this.arrived;
    if (this.to) this.at(now); // the last glide as far as it had time, drawn or not
    if (gap < 500) this.interval += 0.25 * (gap - this.interval);
    this.arrived = now;
    const glide = comparable(this.shown, scene) && gap < LATE_MS;
    this.from = glide ? this.shown : null;
    this.to = scene;
    this.shown = { ...scene };
    for (const name of ARRAYS) {
      if (scene[name] && this.from?.[name]) this.shown[name] = new Float32Array(scene[name].length); // `blend` writes into it
    }
  }

  /** The scene at time `now`, and whether it is still moving. */
  at(now) {
    if (!this.to) return { scene: null, moving: false };
    const span = Math.min(MAX_MS, Math.max(MIN_MS, this.interval * 1.15));
    const t = this.from ? Math.min(1, (now - this.arrived) / span) : 1;
    if (this.from) this.blend(Math.max(0, t));
    if (t >= 1) this.from = null;
    return { scene: this.shown, moving: t < 1 };
  }

  blend(t) {
    const { from, to, shown } = this;
    for (const name of ARRAYS) {
      if (!from[name] || !to[name]) continue;
      const [a, b, out] = [from[name], to[name], shown[name]];
      for (let i = 0; i < out.length; i++) out[i] = a[i] + (b[i] - a[i]) * t;
    }
    for (const name of SCALARS) {
      const known = from[name] !== null && to[name] !== null;
      shown[name] = known ? from[name] + (to[name] - from[name]) * t : to[name];
    }
  }
}
