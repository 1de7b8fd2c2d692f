// A matrix with all its singular values near 1, by Newton–Schulz iterations, as `lpc_core.optimizers.muon`.

import { multiply } from "./products.js";

const QUINTIC = [3.4445, -4.775, 2.0315];
const SMALLEST = 1e-7;

/** x (n, m), row by row, in place. */
export function orthogonalised(x, n, m, times) {
  const size = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0)) + SMALLEST;
  for (let i = 0; i < x.length; i++) x[i] /= size;
  const k = Math.min(n, m); // x as (k, l), its columns and rows exchanged where it is high
  const l = Math.max(n, m);
  const [along, across] = n <= m ? [m, 1] : [1, m];
  const [gram, square, pulled] = [new Float64Array(k * k), new Float64Array(k * k), new Float64Array(k * l)];
  const [a, b, c] = QUINTIC;
  for (let step = 0; step < times; step++) {
    multiply(gram, x, x, k, k, l, along, across, across, along);
    multiply(square, gram, gram, k, k, k, k, 1, k, 1);
    for (let i = 0; i < gram.length; i++) gram[i] = b * gram[i] + c * square[i];
    multiply(pulled, gram, x, k, l, k, k, 1, along, across);
    for (let i = 0; i < k; i++) for (let j = 0; j < l; j++) x[i * along + j * across] = a * x[i * along + j * across] + pulled[i * l + j];
  }
}
