// Class colours (Okabe–Ito, tuned for light and dark ground) and class shapes: never colour alone.

const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#c9b400", "#222222",
  "#8c5a2b", "#5b3fa0", "#12777f", "#a3123f"];
const DARK = ["#3d9be6", "#f2793a", "#22c39b", "#e59bc6", "#f5b335", "#8fd4ff", "#f4ea5a", "#e6e6e6",
  "#c99463", "#a48af0", "#4fc4cc", "#f0648c"];

/** Plotly's symbol names; `outlineOf` below gives the same shapes for a canvas. */
export const SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down", "star", "x",
  "triangle-right", "hexagon", "triangle-left", "pentagon", "cross"];

export const shapeOf = (index) => SHAPES[index % SHAPES.length];

/** One colour per class; beyond 12 classes, hues by the golden angle at three lightnesses. */
export function classColours(count, dark) {
  if (count <= LIGHT.length) return (dark ? DARK : LIGHT).slice(0, count);
  const lightness = dark ? [62, 74, 54] : [42, 54, 33];
  return Array.from({ length: count }, (_, i) => `hsl(${(i * 137.508) % 360} 65% ${lightness[i % 3]}%)`);
}

const REGULAR = { // corner count, first corner's angle in quarter turns, size
  "circle": [12, 0, 1], "square": [4, 0.5, 1.25], "diamond": [4, 0, 1.25], "triangle-up": [3, -1, 1.3], "triangle-down": [3, 1, 1.3],
  "triangle-right": [3, 0, 1.3], "triangle-left": [3, 2, 1.3], "hexagon": [6, 0, 1.1], "pentagon": [5, -1, 1.15],
};

/** The shape around the origin as [x0, y0, x1, y1, …], about one unit in radius. */
export function outlineOf(shape) {
  if (shape === "star") return ring(10, -1, (i) => (i % 2 ? 0.6 : 1.35));
  if (shape === "cross" || shape === "x") return plusOutline(1.2, shape === "x" ? Math.PI / 4 : 0);
  const [corners, turn, size] = REGULAR[shape];
  return ring(corners, turn, () => size);
}

function ring(corners, turn, radius) {
  return Array.from({ length: corners }, (_, i) => {
    const angle = (turn * Math.PI) / 2 + (2 * Math.PI * i) / corners;
    return [radius(i) * Math.cos(angle), radius(i) * Math.sin(angle)];
  }).flat();
}

/** A plus sign with arms 0.76 times as wide as they are long, turned by `angle`. */
function plusOutline(r, angle) {
  const w = r * 0.38;
  const corners = [[w, -r], [w, -w], [r, -w], [r, w], [w, w], [w, r], [-w, r], [-w, w], [-r, w], [-r, -w], [-w, -w], [-w, -r]];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return corners.flatMap(([a, b]) => [a * cos - b * sin, a * sin + b * cos]);
}

/** Adds an outline, `r` times as large and centred at (x, y), to the current path. */
export function trace(ctx, outline, x, y, r) {
  ctx.moveTo(x + r * outline[0], y + r * outline[1]);
  for (let j = 2; j < outline.length; j += 2) ctx.lineTo(x + r * outline[j], y + r * outline[j + 1]);
  ctx.closePath();
}

/** The mark of a predicted collapse point. */
export const PLUS = plusOutline(1, 0);
