// Hatching: a second cue beside colour wherever areas stand for classes, the same for a class in the picture and its legend.

const SIZE = 6; // pixels of a pattern's tile
const LINES = [ // per kind, from (x0, y0) to (x1, y1) in tiles; the first class is plain
  [], [[0, 1, 1, 0], [-0.5, 0.5, 0.5, -0.5], [0.5, 1.5, 1.5, 0.5]], [[0, 0.5, 1, 0.5]], [[0, 0, 1, 1], [-0.5, 0.5, 0.5, 1.5], [0.5, -0.5, 1.5, 0.5]],
  [[0.5, 0, 0.5, 1]], [[0, 0.5, 1, 0.5], [0.5, 0, 0.5, 1]],
];

/** How many classes have a hatching of their own. */
export const HATCHINGS = 2 * LINES.length;

const patterns = new Map();

/** The hatching of a class as a fill style, in `ink`; null for a plain one. From the seventh class on the lines lie twice as far apart. */
export function hatchOf(ctx, index, ink) {
  const kind = index % LINES.length;
  const wide = index % HATCHINGS >= LINES.length;
  if (!kind && !wide) return null;
  const key = `${kind}|${wide}|${ink}`;
  if (!patterns.has(key)) patterns.set(key, tile(kind, wide ? 2 * SIZE : SIZE, ink));
  return ctx.createPattern(patterns.get(key), "repeat");
}

function tile(kind, size, ink) {
  const canvas = new OffscreenCanvas(size, size);
  const ctx = canvas.getContext("2d");
  Object.assign(ctx, { strokeStyle: ink, fillStyle: ink, lineWidth: 1.3 });
  if (!kind) ctx.fillRect(size / 2 - 1, size / 2 - 1, 2, 2);
  ctx.beginPath();
  for (const [x0, y0, x1, y1] of LINES[kind]) {
    ctx.moveTo(x0 * size, y0 * size);
    ctx.lineTo(x1 * size, y1 * size);
  }
  ctx.stroke();
  return canvas;
}
