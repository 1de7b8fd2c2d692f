// Collapse points by damped Newton, and the forces that hold latents there: `lpc_core.theory` for one head, class by class.

import { dot, orthogonal } from "./rotations.js";

const MAX_STEPS = 500;
const TOLERANCE = 1e-10; // largest norm of the gradient, and of the gradient over the forces that cancel in it

/** A linear head with γ in the paper's convention (‖z‖² summed over nodes): `weight` (K, d), `bias` (K), row by row. */
export class Balance {
  constructor(weight, bias, gamma, smoothing = 0) {
    const K = bias.length;
    const d = weight.length / K;
    Object.assign(this, { weight, bias, K, d, gamma, smoothing, p: new Float64Array(K) });
  }

  /** Row y is the latent that minimises CE(Wz + b, y) + γ‖z‖²: (K, d); NaN where none was found. `start` (K, d) is a guess. */
  points(start = null) {
    const { K, d } = this;
    const seen = this.seen();
    const found = new Float64Array(K * d);
    for (let y = 0; y < K; y++) {
      const z = seen.guess(start, y);
      found.set(seen.newton(y, z) ? seen.shown(z) : new Float64Array(d).fill(NaN), y * d);
    }
    return found;
  }

  /** The same minimisations where softmax looks: with d ≥ K only the K − 1 directions between the rows matter. */
  seen() {
    const { K, d, weight } = this;
    if (K > d) return new Minimiser(this, weight, d, null);
    const between = Array.from({ length: K - 1 }, (_, i) => Float64Array.from({ length: d }, (__, j) => weight[i * d + j] - weight[(K - 1) * d + j]));
    const basis = orthogonal(between);
    const rows = new Float64Array(K * basis.length);
    for (let i = 0; i < K - 1; i++) basis.forEach((axis, a) => (rows[i * basis.length + a] = dot(between[i], axis)));
    return new Minimiser(this, rows, basis.length, basis);
  }

  /** At the class means (K, d): cross-entropy, penalty, and the part of their sum across the radius: (3, K, d). */
  forces(means) {
    const { K, d, weight, bias, gamma, smoothing, p } = this;
    const found = new Float64Array(3 * K * d);
    for (let y = 0; y < K; y++) {
      const z = means.subarray(y * d, (y + 1) * d);
      for (let i = 0; i < K; i++) p[i] = bias[i] + dot(weight.subarray(i * d, (i + 1) * d), z);
      softmax(p);
      const [out, inward, along] = [0, 1, 2].map((part) => found.subarray((part * K + y) * d, (part * K + y + 1) * d));
      for (let j = 0; j < d; j++) {
        for (let i = 0; i < K; i++) out[j] -= (p[i] - smoothing / K) * (weight[i * d + j] - weight[y * d + j]);
        inward[j] = -2 * gamma * z[j];
        along[j] = out[j] + inward[j];
      }
      const share = dot(along, z) / (dot(z, z) || NaN); // at the origin no direction is across
      for (let j = 0; j < d; j++) along[j] -= share * z[j];
    }
    return found;
  }
}

/** CE(Wz + b, y) + γ‖z‖² over z in r directions, with logits less the own class's: 1 − p_y is then no difference of equals. */
class Minimiser {
  constructor({ bias, K, gamma, smoothing, p }, rows, r, basis) {
    Object.assign(this, { rows, bias, K, r, gamma, smoothing, p, basis, change: new Float64Array(K) });
    Object.assign(this, { gradient: new Float64Array(r), step: new Float64Array(r), further: new Float64Array(r), hessian: new Float64Array(r * r), middle: new Float64Array(r) });
    const mean = Float64Array.from({ length: r }, (_, j) => sumOf(K, (i) => rows[i * r + j]) / K);
    this.lengths = Float64Array.from({ length: K }, (_, i) => Math.sqrt(sumOf(r, (j) => (rows[i * r + j] - mean[j]) ** 2)));
    this.widest = Math.max(...this.lengths);
    this.largestBias = Math.max(...bias.map(Math.abs));
  }

  /** Where to begin: the last answer, or the origin where that is better whatever the cross-entropy there. */
  guess(start, y) {
    const { basis, r, gamma, K } = this;
    if (!start) return new Float64Array(r);
    const d = start.length / K;
    const own = start.subarray(y * d, (y + 1) * d);
    const z = basis ? Float64Array.from(basis, (axis) => dot(axis, own)) : own.slice();
    return gamma * dot(z, z) < Math.log(K) + 2 * this.largestBias ? z : new Float64Array(r);
  }

  /** The latent of directions z. */
  shown(z) {
    if (!this.basis) return z;
    const found = new Float64Array(this.basis[0]?.length ?? 0);
    this.basis.forEach((axis, a) => axis.forEach((value, j) => (found[j] += value * z[a])));
    return found;
  }

  /** Moves z to the minimiser for class y; whether it was reached. */
  newton(y, z) {
    const { r, step } = this;
    for (let i = 0, before = Infinity; i < MAX_STEPS; i++) {
      const { norm, size } = this.slope(y, z);
      const enough = TOLERANCE * Math.min(1, size);
      if (norm <= enough || (norm > before / 2 && norm <= enough + this.rounding(z, size))) return true;
      this.solve(y);
      const share = this.damping(y, z);
      for (let j = 0; j < r; j++) z[j] -= share * step[j];
      before = norm;
    }
    return false;
  }

  /** Sets p and the gradient at z; returns its norm, and the size of the forces that cancel in it. */
  slope(y, z) {
    const { rows, bias, K, r, p, gradient, gamma, smoothing, lengths } = this;
    for (let i = 0; i < K; i++) {
      p[i] = bias[i] - bias[y];
      for (let j = 0; j < r; j++) p[i] += (rows[i * r + j] - rows[y * r + j]) * z[j];
    }
    softmax(p);
    const rest = smoothing / K;
    let size = 0;
    for (let i = 0; i < K; i++) {
      if (smoothing) size += Math.abs(p[i] - rest - (i === y ? 1 - smoothing : 0)) * lengths[i];
      else if (i !== y) size += p[i] * (lengths[i] + lengths[y]);
    }
    for (let j = 0; j < r; j++) {
      let sum = 2 * gamma * z[j];
      for (let i = 0; i < K; i++) sum += (p[i] - rest) * (rows[i * r + j] - rows[y * r + j]);
      gradient[j] = sum;
    }
    return { norm: Math.sqrt(dot(gradient, gradient)), size };
  }

  /** What rounding of the logits may leave of the gradient. */
  rounding(z, size) {
    const reach = 1 + this.largestBias + this.widest * Math.sqrt(dot(z, z));
    return 64 * Number.EPSILON * reach * (size + this.smoothing * this.widest);
  }

  /** step = H⁻¹ gradient at the present p, by Cholesky: H = Σ p_i c_i c_iᵀ + 2γ, c_i the rows less their mean under p. */
  solve(y) {
    const { rows, K, r, p, hessian, middle, gradient, step, gamma } = this;
    middle.fill(0);
    for (let i = 0; i < K; i++) for (let j = 0; j < r; j++) middle[j] += p[i] * (rows[i * r + j] - rows[y * r + j]);
    hessian.fill(0);
    for (let i = 0; i < K; i++) {
      for (let j = 0; j < r; j++) {
        const weighted = p[i] * (rows[i * r + j] - rows[y * r + j] - middle[j]);
        for (let k = 0; k <= j; k++) hessian[j * r + k] += weighted * (rows[i * r + k] - rows[y * r + k] - middle[k]);
      }
    }
    const floor = Number.EPSILON * sumOf(r, (j) => hessian[j * r + j]); // keeps it invertible; only ever shortens the step
    for (let j = 0; j < r; j++) hessian[j * r + j] += 2 * gamma + floor;
    step.set(gradient);
    cholesky(hessian, step, r);
  }

  /** The share of the step that lowers the loss for sure (Sun & Tran-Dinh 2019), doubled while it still falls at its end. */
  damping(y, z) {
    const { rows, K, r, step, change, gradient, further } = this;
    for (let i = 0; i < K; i++) change[i] = sumOf(r, (j) => rows[i * r + j] * step[j]);
    const beta = Math.max(...change) - Math.min(...change);
    if (!(beta > 1)) return 1;
    let share = Math.log1p(beta) / beta;
    for (;;) {
      for (let j = 0; j < r; j++) further[j] = z[j] - 2 * share * step[j];
      this.slope(y, further);
      if (!(dot(gradient, step) > 0)) return share;
      share *= 2;
    }
  }
}

const sumOf = (count, term) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += term(i);
  return sum;
};

function softmax(values) {
  let [top, sum] = [-Infinity, 0];
  for (const value of values) if (value > top) top = value;
  for (let i = 0; i < values.length; i++) sum += values[i] = Math.exp(values[i] - top);
  for (let i = 0; i < values.length; i++) values[i] /= sum;
}

/** Solves A x = b in place: the lower half of A (r, r) becomes its root, b becomes x. */
function cholesky(a, b, r) {
  for (let j = 0; j < r; j++) {
    for (let k = 0; k <= j; k++) {
      let sum = a[j * r + k];
      for (let i = 0; i < k; i++) sum -= a[j * r + i] * a[k * r + i];
      a[j * r + k] = k === j ? Math.sqrt(sum) : sum / a[k * r + k];
    }
    for (let i = 0; i < j; i++) b[j] -= a[j * r + i] * b[i];
    b[j] /= a[j * r + j];
  }
  for (let j = r - 1; j >= 0; j--) {
    for (let i = j + 1; i < r; i++) b[j] -= a[i * r + j] * b[i];
    b[j] /= a[j * r + j];
  }
}
