// Products of small matrices in float64, by blocks of two rows and four columns that stay in a processor's registers.

/**
 * out (rows, cols), row by row, = A B. A's entry (i, k) is a[i·ai + k·ak], B's entry (k, j) is b[k·bk + j·bj]; so either may be transposed.
 * Eight sums per pass over k: a load then serves two or four products.
 */
export function multiply(out, a, b, rows, cols, depth, ai, ak, bk, bj) {
  const [evenRows, evenCols] = [rows - (rows % 2), cols - (cols % 4)];
  for (let i = 0; i < evenRows; i += 2) {
    for (let j = 0; j < evenCols; j += 4) {
      let [s0, s1, s2, s3, t0, t1, t2, t3] = [0, 0, 0, 0, 0, 0, 0, 0];
      let [p, q, r] = [i * ai, (i + 1) * ai, j * bj];
      const [two, three] = [2 * bj, 3 * bj];
      for (let k = 0; k < depth; k++) {
        const x = a[p];
        const y = a[q];
        const b0 = b[r];
        const b1 = b[r + bj];
        const b2 = b[r + two];
        const b3 = b[r + three];
        s0 += x * b0;
        s1 += x * b1;
        s2 += x * b2;
        s3 += x * b3;
        t0 += y * b0;
        t1 += y * b1;
        t2 += y * b2;
        t3 += y * b3;
        p += ak;
        q += ak;
        r += bk;
      }
      const [o, u] = [i * cols + j, (i + 1) * cols + j];
      out[o] = s0;
      out[o + 1] = s1;
      out[o + 2] = s2;
      out[o + 3] = s3;
      out[u] = t0;
      out[u + 1] = t1;
      out[u + 2] = t2;
      out[u + 3] = t3;
    }
  }
  if (evenCols < cols) edge(out, a, b, 0, evenRows, evenCols, cols, depth, ai, ak, bk, bj);
  if (evenRows < rows) edge(out, a, b, evenRows, rows, 0, cols, depth, ai, ak, bk, bj);
}

/** The same for the rows from…to and the columns left…cols, entry by entry. */
function edge(out, a, b, from, to, left, cols, depth, ai, ak, bk, bj) {
  for (let i = from; i < to; i++) {
    for (let j = left; j < cols; j++) {
      let [sum, p, r] = [0, i * ai, j * bj];
      for (let k = 0; k < depth; k++) {
        sum += a[p] * b[r];
        p += ak;
        r += bk;
      }
      out[i * cols + j] = sum;
    }
  }
}

/** Adds `bias` (cols) to every row of `out`. */
export function addToRows(out, bias, rows, cols) {
  for (let i = 0, at = 0; i < rows; i++) for (let j = 0; j < cols; j++, at++) out[at] += bias[j];
}

/** out (cols) = the sum of all rows of a. */
export function sumRows(out, a, rows, cols) {
  out.fill(0);
  for (let i = 0, at = 0; i < rows; i++) for (let j = 0; j < cols; j++, at++) out[j] += a[at];
}
