// Where the shell was: one ring per decade of γ passed, so that shrinking stays visible after a zoom.

export class Ghosts {
  constructor() {
    this.clear();
  }

  clear() {
    this.rings = new Map(); // exponent → radius
    this.decade = null;
    this.prefix = "γ ="; // of a ring's label
    this.largest = 0; // largest radius of the run, for the ruler
  }

  /** Starts from the stored curves, so that a page opened late still has its rings. */
  reload({ norm_mean: radii = [], step = [], gamma = [] } = {}) {
    this.clear();
    radii.forEach((radius, i) => step[i] >= 0 && this.watch(gamma[i], radius));
  }

  /** Remembers the radius when γ enters another decade. */
  watch(gamma, radius) {
    if (!(radius > 0)) return;
    this.largest = Math.max(this.largest, radius);
    if (!(gamma > 0)) return;
    const decade = Math.floor(Math.log10(gamma) + 1e-9);
    if (this.decade !== null && decade > this.decade) this.rings.set(decade, radius);
    for (const later of this.rings.keys()) if (later > decade) this.rings.delete(later); // γ came back down
    this.decade = decade;
  }

  /** [{exponent, radius}], largest first, without rings that the present shell covers. */
  list(radius) {
    return [...this.rings].map(([exponent, r]) => ({ exponent, radius: r }))
      .filter((ring) => Math.abs(Math.log(ring.radius / radius)) > 0.06)
      .sort((a, b) => b.radius - a.radius);
  }
}
