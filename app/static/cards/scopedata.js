// The collapse microscope's numbers: one class of one moment, its samples about their mean, in float64.

/** The spacing of float32 numbers at x. */
export function spacing(x) {
  const exponent = x === 0 ? -126 : Math.max(-126, Math.floor(Math.log2(Math.abs(x))));
  return 2 ** (exponent - 23);
}

export class Sample {
  /** tensors of a moment's file: latents float32 (n, d), labels (n,), collapse_points (K, d) where the theory applies. */
  constructor({ latents, labels, collapse_points: points }) {
    [this.n, this.d] = latents.shape;
    this.z = latents.data;
    this.labels = Int32Array.from(labels.data, Number);
    this.collapse_points = points?.data ?? null;
    this.views = new Map();
  }

  /** Class c as the microscope sees it; computed once. */
  about(c) {
    if (!this.views.has(c)) this.views.set(c, new About(this, c));
    return this.views.get(c);
  }

  members(c) {
    return Array.from(this.labels.keys()).filter((i) => this.labels[i] === c);
  }

  mean(c) {
    const { d, z } = this;
    const members = this.members(c);
    const sum = new Float64Array(d);
    for (const i of members) for (let j = 0; j < d; j++) sum[j] += z[i * d + j];
    return sum.map((value) => value / members.length);
  }
}

class About {
  constructor(sample, c) {
    Object.assign(this, { sample, c, members: sample.members(c), mean: sample.mean(c) });
    const { d } = sample;
    this.steps = this.mean.map(spacing); // (d,)
    this.step = this.steps.reduce((most, one) => Math.max(most, one), 0); // of the node with the largest mean
    this.distances = Float64Array.from(this.members, (i) => Math.hypot(...this.offset(i)));
    this.sorted = this.distances.slice().sort();
    this.median = this.sorted.length ? this.sorted[Math.floor(this.sorted.length / 2)] : NaN;
    this.farthest = this.sorted.at(-1) ?? NaN;
    const others = [...new Set(sample.labels)].filter((k) => k !== c);
    this.nearestOther = Math.min(...others.map((k) => Math.hypot(...sample.mean(k).map((value, j) => value - this.mean[j]))));
    this.predicted = sample.collapse_points ? Array.from({ length: d }, (_, j) => sample.collapse_points[c * d + j] - this.mean[j]) : null;
  }

  /** z − μ_c of sample i: (d,). */
  offset(i) {
    const { d, z } = this.sample;
    return Array.from(this.mean, (mean, j) => z[i * d + j] - mean);
  }

  /** Half the width of a view about μ_c that holds all samples of all classes in two nodes. */
  whole(nodes) {
    return 1.08 * (this.reach(this.sample.labels.keys(), nodes) || 1);
  }

  /** The view that the class itself fills. */
  filled(nodes) {
    return 1.15 * Math.max(this.reach(this.members, nodes), 2 * this.step);
  }

  /** How far samples go from μ_c along node a or b. */
  reach(samples, [a, b]) {
    const { d, z } = this.sample;
    let most = 0;
    for (const i of samples) most = Math.max(most, Math.abs(z[i * d + a] - this.mean[a]), Math.abs(z[i * d + b] - this.mean[b]));
    return most;
  }

  /** How many of the class's samples are within `half` of μ_c in nodes [a, b]. */
  inside(nodes, half) {
    return (this.within(nodes, half).get(this.c) ?? []).reduce((sum, { count }) => sum + count, 0);
  }

  /** Samples within `half` of μ_c in nodes [a, b], by class: Map class → [{i, x, y, count}], equal ones once. */
  within([a, b], half) {
    const { n, d, z, labels } = this.sample;
    const spots = new Map();
    for (let i = 0; i < n; i++) {
      const [x, y] = [z[i * d + a] - this.mean[a], z[i * d + b] - this.mean[b]];
      if (Math.abs(x) > half || Math.abs(y) > half) continue;
      const key = `${labels[i]},${x},${y}`;
      if (spots.has(key)) spots.get(key).count += 1;
      else spots.set(key, { i, x, y, count: 1 });
    }
    return Map.groupBy(spots.values(), ({ i }) => labels[i]);
  }
}
