// Which samples lie inside a drawn region, and how a choice is told.

/** The samples inside the polygon `path` that are not filtered away, as a bitless Uint8Array (n). */
export function inside(path, x, y, strength, n) {
  const chosen = new Uint8Array(n);
  const xs = path.map((point) => point[0]);
  const ys = path.map((point) => point[1]);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  for (let i = 0; i < n; i++) {
    if (!strength[i] || !(x[i] >= left && x[i] <= right && y[i] >= top && y[i] <= bottom)) continue;
    chosen[i] = Number(crossings(xs, ys, x[i], y[i]) % 2 === 1);
  }
  return chosen;
}

/** How often a ray to the right of (px, py) crosses the outline. */
function crossings(xs, ys, px, py) {
  let count = 0;
  for (let a = 0, b = xs.length - 1; a < xs.length; b = a++) {
    if (ys[a] > py === ys[b] > py) continue;
    if (px < ((xs[b] - xs[a]) * (py - ys[a])) / (ys[b] - ys[a]) + xs[a]) count += 1;
  }
  return count;
}

/** Flags as base64 of bits, least significant first (numpy: unpackbits, bitorder little). */
export function packed(flags) {
  const bytes = new Uint8Array(Math.ceil(flags.length / 8));
  for (let i = 0; i < flags.length; i++) if (flags[i]) bytes[i >> 3] |= 1 << (i & 7);
  let text = "";
  for (let k = 0; k < bytes.length; k += 8_192) text += String.fromCharCode(...bytes.subarray(k, k + 8_192));
  return btoa(text);
}
