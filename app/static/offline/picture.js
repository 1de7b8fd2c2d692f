// What a frame says of a run, and its arrays: positions, predictions, means, collapse points, forces, histograms. As `app.live.frames`.

import { BINS } from "../charts/histogram.js";

const COLOURED = 12; // more classes than this share one histogram
const TOP = 32_767;

/** {info, tensors} of a snapshot as `sight` (`Camera.look`) shows it; with `bins` also which bar of the large histograms each sample is in. */
export function picture(snapshot, sight, bins = false) {
  const { latents, predictions, means, collapse_points, forces, d } = snapshot;
  const positions = inView(latents, d, sight.axes);
  const largest = positions.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = Math.max(largest / TOP, 1e-30);
  const { dims } = sight;
  const rows = (values) => ({ data: Float32Array.from(inView(values, d, sight.axes)), shape: [values.length / d, dims] });
  const tensors = {
    xy: { data: Int16Array.from(positions, (value) => even(value / scale)), shape: [latents.length / d, dims] }, predictions: { data: predictions, shape: [predictions.length] },
    means: rows(means), ...(collapse_points && { collapse_points: rows(collapse_points) }), ...(forces && { forces: { ...rows(forces), shape: [3, means.length / d, dims] } }),
  };
  return { info: said(snapshot, sight, scale), tensors: { ...tensors, ...histograms(snapshot, sight, bins) } };
}

function said(snapshot, { projection, nodes, dims, large, hist_range }, scale) {
  const { step, gamma, gamma_sum, gamma_target, gamma_mode, lr, head_lr, norm_mean, metrics, reason } = snapshot;
  const known = Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number.isFinite(value) ? value : null]));
  return {
    step, gamma, gamma_sum, gamma_target, gamma_mode, lr, head_lr, scale, norm_mean, reason,
    predicted_radius: predictedRadius(snapshot), metrics: known, projection, nodes, dims, large, hist_range, notice: "",
  };
}

/** The rows (m, d) of `values` along each axis: (m · axes). */
function inView(values, d, axes) {
  const p = axes.length;
  const found = new Float64Array((values.length / d) * p);
  for (let i = 0, at = 0; i < values.length; i += d) {
    for (let a = 0; a < p; a++, at++) for (let j = 0; j < d; j++) found[at] += values[i + j] * axes[a][j];
  }
  return found;
}

/** The nearest whole number, halves to the even one. */
function even(value) {
  const near = Math.round(value);
  return near - value === 0.5 && near % 2 ? near - 1 : near;
}

/** Mean ‖z*‖ over the samples, each at its own class's point. */
function predictedRadius({ collapse_points: points, labels, d }) {
  if (!points) return null;
  let sum = 0;
  for (const label of labels) sum += Math.hypot(...points.subarray(label * d, (label + 1) * d));
  return Number.isFinite(sum) ? sum / labels.length : null;
}

function histograms({ latents, labels, d, K, node_peak_distance: peaks }, { large, hist_range: range }, told) {
  const groups = K <= COLOURED ? K : 1;
  const [hist, own] = [new Uint16Array(d * BINS), new Uint16Array(large.length * groups * BINS)];
  const bars = new Uint8Array(told ? large.length * labels.length : 0);
  const slots = new Int32Array(d).fill(-1);
  large.forEach((node, slot) => (slots[node] = slot));
  for (let i = 0; i < labels.length; i++) {
    for (let j = 0; j < d; j++) {
      const bin = Math.floor(Math.min(Math.max((latents[i * d + j] / range + 1) * (BINS / 2), 0), BINS - 1));
      hist[j * BINS + bin] += 1;
      if (told && slots[j] >= 0) bars[slots[j] * labels.length + i] = bin;
      if (slots[j] >= 0) own[(slots[j] * groups + (groups > 1 ? labels[i] : 0)) * BINS + bin] += 1;
    }
  }
  return {
    ...(told && { bins: { data: bars, shape: [large.length, labels.length] } }),
    hist: { data: hist, shape: [d, BINS] }, hist_class: { data: own, shape: [large.length, groups, BINS] },
    node_peak_distance: { data: peaks ? Float32Array.from(peaks) : new Float32Array(d).fill(NaN), shape: [d] },
  };
}
