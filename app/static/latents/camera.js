// The zoom that follows the shell with hysteresis, so that a person sees it shrink before the view moves in.

const TOO_SMALL = 0.30; // shares of the half range
const TOO_LARGE = 0.92;
const TARGET = 0.75;
const GLIDE_MS = 500;

const ease = (t) => (t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) * (1 - t));

export class Camera {
  constructor() {
    this.mode = "follow"; // or "fixed"
    this.reset();
  }

  reset() {
    this.half = null; // latent units from the centre to the nearer edge
    this.glide = null;
  }

  setMode(mode) {
    this.mode = mode;
    this.glide = null;
  }

  /** Follows `size`, the extent of what should be seen; returns whether a glide is under way. */
  update(size, now, still) {
    if (!(size > 0)) return false;
    if (this.half === null) this.half = size / TARGET;
    if (this.mode === "follow" && !this.glide) this.decide(size, now, still);
    if (this.glide) this.advance(now);
    return this.glide !== null;
  }

  decide(size, now, still) {
    const share = size / this.half;
    if (share >= TOO_SMALL && share <= TOO_LARGE) return;
    const to = size / TARGET;
    if (still || share > 4 || share < 0.01) this.half = to;
    else this.glide = { from: Math.log(this.half), to: Math.log(to), start: now };
  }

  advance(now) {
    const { from, to, start } = this.glide;
    const t = Math.min(1, (now - start) / GLIDE_MS);
    this.half = Math.exp(from + (to - from) * ease(t));
    if (t >= 1) this.glide = null;
  }
}

/** Extent to keep in view: the points' 95th percentile, and the shell where the view has all d nodes. */
export function extentOf({ xy, n, p, norm_mean: radius }, d) {
  const step = Math.max(1, Math.floor(n / 400));
  const sizes = [];
  for (let i = 0; i < n; i += step) sizes.push(Math.hypot(xy[i * p], xy[i * p + 1], p === 3 ? xy[i * p + 2] : 0));
  sizes.sort((a, b) => a - b);
  const reach = sizes[Math.floor(0.95 * (sizes.length - 1))] || 0;
  return d <= p ? Math.max(reach, radius) : reach; // a view that leaves out nodes has no shell
}
