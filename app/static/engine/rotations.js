// Singular values by one-sided Jacobi rotations (Hestenes 1958): exact also where they differ by many powers of ten.

const SWEEPS = 60;

/** The i-th unit vector of d entries. */
export const unit = (d, i) => Float64Array.from({ length: d }, (_, j) => (i === j ? 1 : 0));

/** Rotates `vectors` [Float64Array (d)] until they are orthogonal to each other: (sizes, the units along them, the rotation's columns). */
export function svd(vectors) {
  const m = vectors.length;
  const turned = vectors.map((vector) => Float64Array.from(vector));
  const rotation = vectors.map((_, i) => unit(m, i));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let still = true;
    for (let i = 0; i < m; i++) for (let j = i + 1; j < m; j++) if (rotated(turned[i], turned[j], rotation[i], rotation[j])) still = false;
    if (still) break;
  }
  const sizes = turned.map((vector) => Math.sqrt(dot(vector, vector)));
  return { sizes, units: turned.map((vector, i) => vector.map((value) => value / (sizes[i] || 1))), rotation };
}

/** Makes a and b orthogonal; false where they are, as far as float64 can tell. */
function rotated(a, b, left, right) {
  const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)];
  if (!(Math.abs(ab) > 1e-15 * Math.sqrt(aa) * Math.sqrt(bb)) || Math.min(aa, bb) <= 1e-32 * Math.max(aa, bb)) return false;
  const zeta = (bb - aa) / (2 * ab);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const cosine = 1 / Math.hypot(1, tangent);
  turn(a, b, cosine, cosine * tangent);
  turn(left, right, cosine, cosine * tangent);
  return true;
}

function turn(a, b, cosine, sine) {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i], b[i]];
    a[i] = cosine * x - sine * y;
    b[i] = sine * x + cosine * y;
  }
}

/** An orthonormal basis [Float64Array (d)] of what the vectors span, by Gram and Schmidt, twice. */
export function orthogonal(vectors) {
  const basis = [];
  const largest = Math.max(0, ...vectors.map((vector) => Math.sqrt(dot(vector, vector))));
  for (const vector of vectors) {
    const rest = Float64Array.from(vector);
    for (const axis of [...basis, ...basis]) {
      const share = dot(rest, axis);
      for (let i = 0; i < rest.length; i++) rest[i] -= share * axis[i];
    }
    const size = Math.sqrt(dot(rest, rest));
    if (size > 1e-14 * largest) basis.push(rest.map((value) => value / size));
  }
  return basis;
}

export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
