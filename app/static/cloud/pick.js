// Which samples lie under the pointer or inside a drawn region.

const CELL = 24; // pixels

/** Samples by cells of the screen, so that the nearest is found among a few. */
export class PickGrid {
  constructor(x, y, strength, n, w, h) {
    const [columns, rows] = [Math.ceil(w / CELL) || 1, Math.ceil(h / CELL) || 1];
    Object.assign(this, { x, y, columns, rows });
    const cell = new Int32Array(n);
    const ends = new Uint32Array(columns * rows + 1);
    for (let i = 0; i < n; i++) {
      const seen = strength[i] && x[i] >= 0 && y[i] >= 0 && x[i] < w && y[i] < h;
      cell[i] = seen ? Math.floor(y[i] / CELL) * columns + Math.floor(x[i] / CELL) : -1;
      if (seen) ends[cell[i] + 1] += 1;
    }
    for (let c = 0; c < columns * rows; c++) ends[c + 1] += ends[c];
    const at = ends.slice();
    this.members = new Uint32Array(ends[columns * rows]);
    for (let i = 0; i < n; i++) if (cell[i] >= 0) this.members[at[cell[i]]++] = i;
    this.ends = ends;
  }

  /** The sample nearest to (px, py), at most `reach` ≤ 24 pixels away; −1 when there is none. Bright ones come before dimmed. */
  nearest(px, py, reach, strength) {
    const [column, row] = [Math.floor(px / CELL), Math.floor(py / CELL)];
    let [best, least] = [-1, Infinity];
    for (let r = Math.max(0, row - 1); r <= Math.min(this.rows - 1, row + 1); r++) {
      for (let c = Math.max(0, column - 1); c <= Math.min(this.columns - 1, column + 1); c++) {
        const cell = r * this.columns + c;
        for (let k = this.ends[cell]; k < this.ends[cell + 1]; k++) {
          const i = this.members[k];
          const distance = (this.x[i] - px) ** 2 + (this.y[i] - py) ** 2;
          const worth = distance + (strength[i] === 1 ? reach * reach : 0);
          if (distance <= reach * reach && worth < least) [best, least] = [i, worth];
        }
      }
    }
    return best;
  }
}

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
