// Every live metric of one moment, as `lpc_core.metrics.live` has it, for latents (n, d) in float64.

import { peakDistances } from "./peaks.js";
import { dot, svd } from "./rotations.js";

/** What one moment is made of: `latents` (n, d), `labels` and `predictions` (n), a head `weight` (K, d), predicted `collapse_points` (K, d) or null. */
export class LatentSet {
  constructor({ latents, labels, predictions, weight, collapse_points, K }) {
    const n = labels.length;
    Object.assign(this, { latents, labels, predictions, weight, collapse_points, K, n, d: latents.length / n });
    this.own = this.grouped(labels);
    this.norms = this.lengths(latents);
    this.norm_mean = mean(this.norms);
  }

  lengths(rows) {
    const { d } = this;
    return Float64Array.from({ length: rows.length / d }, (_, i) => {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += rows[i * d + j] ** 2;
      return Math.sqrt(sum);
    });
  }

  /** Counts and means of the groups, and each sample's squared distance to its own. */
  grouped(groups) {
    const { latents, d, n, K } = this;
    const [counts, means, gaps] = [new Float64Array(K), new Float64Array(K * d), new Float64Array(n)];
    for (let i = 0; i < n; i++) {
      counts[groups[i]] += 1;
      for (let j = 0; j < d; j++) means[groups[i] * d + j] += latents[i * d + j];
    }
    for (let c = 0; c < K; c++) for (let j = 0; j < d; j++) means[c * d + j] /= counts[c] || NaN;
    for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) gaps[i] += (latents[i * d + j] - means[groups[i] * d + j]) ** 2;
    return { groups, counts, means, gaps };
  }
}

/** {name: value} of all of them, and the peak distance of every node. */
export function measured(set) {
  const peaks = peakDistances(set.latents, set.d);
  const { trace, nc1 } = scatter(set);
  return {
    node_peak_distance: peaks,
    metrics: {
      ...predicted(set), ...head(set),
      node_peak_distance_mean: mean(peaks), node_peak_distance_min: peaks.reduce((least, one) => (one < least || Number.isNaN(least) ? one : least), NaN),
      norm_mean: set.norm_mean, norm_cv: spreadOver(set.norms, set.norm_mean), abs_cv: spreadOver(set.latents.map(Math.abs)),
      within_class_spread: set.norm_mean > 0 ? Math.sqrt(trace) / set.norm_mean : NaN, nc1_pinv: nc1, separation_ratio: separation(set),
    },
  };
}

/** How near the latents are to the predicted points. */
function predicted(set) {
  const { collapse_points: points, K, n, own: { counts, means } } = set;
  if (!points) return { predicted_radius: NaN, radius_error: NaN, point_error: NaN };
  const radii = set.lengths(points);
  const away = set.lengths(means.map((value, i) => value - points[i]));
  let radius = 0;
  for (let c = 0; c < K; c++) if (counts[c]) radius += (radii[c] * counts[c]) / n;
  const error = radius > 0 ? Math.abs(set.norm_mean - radius) / radius : NaN;
  return { predicted_radius: radius, radius_error: error, point_error: mean(away.map((gap, c) => gap / (radii[c] || NaN))) };
}

/** Of the head alone: ‖W‖, and how unequal |W_kj| is over the classes, mean over nodes. */
function head({ weight, K, d }) {
  const unequal = Float64Array.from({ length: d }, (_, j) => spreadOver(Float64Array.from({ length: K }, (__, k) => Math.abs(weight[k * d + j]))));
  return { weight_norm: Math.sqrt(dot(weight, weight)), weight_abs_cv: mean(unequal) };
}

/** Tr Σ_W and NC1 = tr(Σ_W Σ_B⁺)/K, over the directions that the class means span. */
function scatter(set) {
  const { d, n, latents, own: { groups, counts, means, gaps } } = set;
  const usable = counts.reduce((sum, count) => sum + (count > 1), 0);
  if (!usable) return { trace: NaN, nc1: NaN };
  const shares = counts.map((count) => (count > 1 ? 1 / (count * usable) : 0)); // weight of a sample by its class
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gaps[i] * shares[groups[i]];
  const directions = between(set);
  if (!directions.length) return { trace, nc1: NaN };
  let nc1 = 0;
  for (let i = 0; i < n; i++) {
    for (const { size, axis } of directions) {
      let along = 0;
      for (let j = 0; j < d; j++) along += axis[j] * (latents[i * d + j] - means[groups[i] * d + j]);
      nc1 += shares[groups[i]] * (along / size) ** 2;
    }
  }
  return { trace, nc1 };
}

/** Singular values and right singular vectors of the centred class means above rounding, largest first; K − 1 at most. */
function between({ d, own: { counts, means } }) {
  const present = Array.from(counts.keys()).filter((c) => counts[c]);
  const middle = Float64Array.from({ length: d }, (_, j) => present.reduce((sum, c) => sum + means[c * d + j], 0) / present.length);
  const { sizes, units } = svd(present.map((c) => middle.map((value, j) => means[c * d + j] - value)));
  const total = Math.sqrt(present.reduce((sum, c) => sum + middle.reduce((own, _, j) => own + means[c * d + j] ** 2, 0), 0));
  const rounding = Number.EPSILON * Math.max(present.length, d) * total;
  const found = sizes.map((size, i) => ({ size, axis: units[i] })).sort((a, b) => b.size - a.size);
  return found.slice(0, Math.min(d, present.length - 1)).filter(({ size }) => size > rounding);
}

/** Mean over samples of the distance to the nearest other class mean over that to the own one, classes by prediction. */
function separation(set) {
  const { latents, d, K, labels, predictions } = set;
  const same = predictions.every((one, i) => one === labels[i]);
  const { groups, counts, means, gaps } = same ? set.own : set.grouped(predictions);
  if (counts.filter((count) => count > 0).length < 2) return NaN;
  const nearest = (i) => {
    let least = Infinity;
    for (let c = 0; c < K; c++) {
      if (c === groups[i] || !counts[c]) continue;
      let square = 0;
      for (let j = 0; j < d; j++) square += (latents[i * d + j] - means[c * d + j]) ** 2;
      if (square < least) least = square;
    }
    return least;
  };
  return mean(gaps.map((gap, i) => (gap > 0 ? Math.sqrt(nearest(i) / gap) : NaN)));
}

/** Mean of those values that are not NaN; NaN where none is. */
function mean(values) {
  let [sum, used] = [0, 0];
  for (const value of values) if (!Number.isNaN(value)) [sum, used] = [sum + value, used + 1];
  return sum / used;
}

/** Standard deviation over mean of sizes; NaN where the mean is not above 0. */
function spreadOver(sizes, middle = mean(sizes)) {
  const squares = sizes.reduce((sum, size) => sum + (size - middle) ** 2, 0);
  return middle > 0 ? Math.sqrt(squares / sizes.length) / middle : NaN;
}
