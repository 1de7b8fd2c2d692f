// Activations: each changes the first `size` values of y in place and writes its slope there into s.

const REACH = 9; // beyond, Φ is 0 or 1 in float64
const PER_UNIT = 128; // nodes of Φ's table: between them a cubic is off by 1e-11 at most

export const ACTIVATIONS = {
  silu(y, s, size) {
    for (let i = 0; i < size; i++) {
      const x = y[i];
      const share = 1 / (1 + Math.exp(-x));
      y[i] = x * share;
      s[i] = share * (1 + x * (1 - share));
    }
  },
  relu(y, s, size) {
    for (let i = 0; i < size; i++) {
      if (y[i] < 0) y[i] = 0; // a NaN stays one
      s[i] = y[i] > 0 ? 1 : 0;
    }
  },
  tanh(y, s, size) {
    for (let i = 0; i < size; i++) {
      y[i] = Math.tanh(y[i]);
      s[i] = 1 - y[i] * y[i];
    }
  },
  /** x Φ(x), Φ the normal distribution's. */
  gelu(y, s, size) {
    normal ??= tabled();
    for (let i = 0; i < size; i++) {
      const x = y[i];
      const share = below(x, normal);
      y[i] = x * share;
      s[i] = share + x * density(x);
    }
  },
};

let normal = null; // Φ at the nodes

const density = (x) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

/** Φ(k/128) for k = −9·128…9·128, by its series ½ + φ(x) Σ x^(2m+1)/(2m+1)!!, whose terms are all of one sign. */
function tabled() {
  const half = REACH * PER_UNIT;
  const table = new Float64Array(2 * half + 1);
  for (let k = 0; k <= half; k++) {
    const x = k / PER_UNIT;
    let [term, sum] = [x, x];
    for (let odd = 3; term > 1e-17 * sum; odd += 2) sum += term *= (x * x) / odd;
    const over = density(x) * sum;
    table[half + k] = 0.5 + over;
    table[half - k] = 0.5 - over;
  }
  return table;
}

/** Φ(x): the cubic through the values and slopes of the two nodes around x. */
function below(x, table) {
  if (!(Math.abs(x) < REACH)) return x > 0 ? 1 : x < 0 ? 0 : x;
  const place = (x + REACH) * PER_UNIT;
  const k = Math.floor(place);
  const t = place - k;
  const left = k / PER_UNIT - REACH;
  const [from, to] = [density(left) / PER_UNIT, density(left + 1 / PER_UNIT) / PER_UNIT];
  const [a, b] = [table[k], table[k + 1]];
  return a + t * (from + t * (3 * (b - a) - 2 * from - to + t * (2 * (a - b) + from + to)));
}
