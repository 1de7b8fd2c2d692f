// Class colours (Okabe–Ito, tuned for light and dark ground) and class shapes: never colour alone.

const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#c9b400", "#222222",
  "#8c5a2b", "#5b3fa0", "#12777f", "#a3123f"];
const DARK = ["#3d9be6", "#f2793a", "#22c39b", "#e59bc6", "#f5b335", "#8fd4ff", "#f4ea5a", "#e6e6e6",
  "#c99463", "#a48af0", "#4fc4cc", "#f0648c"];

/** Plotly's symbol names; `trace` below draws the same shapes on a canvas. */
export const SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down", "star", "x",
  "triangle-right", "hexagon", "triangle-left", "pentagon", "cross"];

export const shapeOf = (index) => SHAPES[index % SHAPES.length];

/** One colour per class; beyond 12 classes, hues by the golden angle at three lightnesses. */
export function classColours(count, dark) {
  if (count <= LIGHT.length) return (dark ? DARK : LIGHT).slice(0, count);
  const lightness = dark ? [62, 74, 54] : [42, 54, 33];
  return Array.from({ length: count }, (_, i) => `hsl(${(i * 137.508) % 360} 65% ${lightness[i % 3]}%)`);
}

const POLYGONS = { // corner count, first corner's angle in quarter turns, relative size
  "square": [4, 0.5, 1.25], "diamond": [4, 0, 1.25], "triangle-up": [3, -1, 1.3], "triangle-down": [3, 1, 1.3],
  "triangle-right": [3, 0, 1.3], "triangle-left": [3, 2, 1.3], "hexagon": [6, 0, 1.1], "pentagon": [5, -1, 1.15],
};

/** Adds the shape's outline, centred at (x, y) with radius r, to the current path. */
export function trace(ctx, shape, x, y, r) {
  if (shape === "circle") return ctx.arc(x, y, r, 0, 2 * Math.PI);
  if (shape === "star") return ring(ctx, x, y, 10, -1, (i) => r * (i % 2 ? 0.6 : 1.35));
  if (shape === "cross" || shape === "x") return plus(ctx, x, y, r * 1.2, shape === "x" ? Math.PI / 4 : 0);
  const [corners, turn, size] = POLYGONS[shape];
  return ring(ctx, x, y, corners, turn, () => r * size);
}

function ring(ctx, x, y, corners, turn, radius) {
  for (let i = 0; i < corners; i++) {
    const angle = (turn * Math.PI) / 2 + (2 * Math.PI * i) / corners;
    ctx[i ? "lineTo" : "moveTo"](x + radius(i) * Math.cos(angle), y + radius(i) * Math.sin(angle));
  }
  ctx.closePath();
}

/** A plus sign with arms as wide as 0.76 of their half length, turned by `angle`. */
export function plus(ctx, x, y, r, angle = 0) {
  const w = r * 0.38;
  const corners = [[w, -r], [w, -w], [r, -w], [r, w], [w, w], [w, r], [-w, r], [-w, w], [-r, w], [-r, -w], [-w, -w], [-w, -r]];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  corners.forEach(([a, b], i) => ctx[i ? "lineTo" : "moveTo"](x + a * cos - b * sin, y + a * sin + b * cos));
  ctx.closePath();
}
