// Distance of each node's two peaks in peak widths, |μ1 − μ2| / ((σ1 + σ2)/2), cut where 2-means is best: `lpc_core.metrics.binarity`.

/** Of latents (n, d), row by row: (d); NaN for a node that never changes, and for all below four samples. */
export function peakDistances(latents, d) {
  const n = latents.length / d;
  const [values, found] = [new Float64Array(n), new Float64Array(d).fill(NaN)];
  if (n < 4) return found;
  for (let j = 0; j < d; j++) {
    for (let i = 0; i < n; i++) values[i] = latents[i * d + j];
    found[j] = peaks(values.sort());
  }
  return found;
}

/** Of sorted values. The left side's sum S_i over i values leaves least scatter where S_i² / (i(n − i)) is largest. */
function peaks(values) {
  const n = values.length;
  const [low, high] = [values[0], values[n - 1]];
  if (!(low < high)) return NaN;
  const middle = values.reduce((sum, value) => sum + value, 0) / n;
  let [sum, best, cut, left] = [0, -1, 0, 0];
  for (let i = 1; i < n; i++) {
    sum += values[i - 1] - middle;
    const score = (sum * sum) / (i * (n - i));
    if (score > best) [best, cut, left] = [score, i, sum];
  }
  const total = sum + values[n - 1] - middle;
  const [first, second] = [left / cut, (total - left) / (n - cut)];
  const width = (deviation(values, 0, cut, middle + first) + deviation(values, cut, n, middle + second)) / 2;
  return (second - first) / Math.max(width, spacing(Math.max(-low, high)) / Math.sqrt(12));
}

function deviation(values, from, to, middle) {
  let sum = 0;
  for (let i = from; i < to; i++) sum += (values[i] - middle) ** 2;
  return Math.sqrt(sum / (to - from));
}

/** The step between neighbouring float64 numbers at `size`. */
function spacing(size) {
  return Math.max(Number.EPSILON * 2 ** Math.floor(Math.log2(size)), Number.MIN_VALUE);
}
