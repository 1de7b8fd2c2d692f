// From latent units to pixels: a plane with equal axes, or three dimensions turned and seen from far away.

const PER_PIXEL = 0.008; // radians
const LIMIT = Math.PI / 2;

/** How everything is turned before a hand turns it. */
export const TURNED = { yaw: 0.6, pitch: 0.45 };

/** {yaw, pitch} after a drag by (dx, dy) pixels. */
export function turnedBy({ yaw, pitch }, dx, dy) {
  return { yaw: yaw + dx * PER_PIXEL, pitch: Math.max(-LIMIT, Math.min(LIMIT, pitch + dy * PER_PIXEL)) };
}

/** `rect` is the plot area {x, y, w, h}, the centre lies at (cx, cy), `scale` is pixels per unit; `rotation` is a row-major 3×3 matrix, null in the plane. */
export function mappingOf(rect, cx, cy, scale, rotation = null) {
  const ox = rect.x + rect.w / 2 - cx * scale;
  const oy = rect.y + rect.h / 2 + cy * scale;
  return { rect, scale, ox, oy, rotation };
}

/** Projects `count` points of width p into out.x, out.y (pixels) and out.depth (units, towards the viewer). */
export function projectAll(mapping, values, count, p, out) {
  const { ox, oy, scale, rotation: m } = mapping;
  const turned = m && p === 3;
  for (let i = 0, j = 0; i < count; i++, j += p) {
    const [a, b, c] = [values[j], values[j + 1], turned ? values[j + 2] : 0];
    out.x[i] = ox + scale * (turned ? m[0] * a + m[1] * b + m[2] * c : a);
    out.y[i] = oy - scale * (turned ? m[3] * a + m[4] * b + m[5] * c : b);
    out.depth[i] = turned ? m[6] * a + m[7] * b + m[8] * c : 0;
  }
  return out;
}

/** Fresh buffers for `count` projected points. */
export function buffers(count) {
  return { x: new Float32Array(count), y: new Float32Array(count), depth: new Float32Array(count) };
}

/** One direction (no offset) in pixels: [dx, dy]. */
export function projectVector({ scale, rotation: m }, a, b, c = 0) {
  if (!m) return [scale * a, -scale * b];
  return [scale * (m[0] * a + m[1] * b + m[2] * c), -scale * (m[3] * a + m[4] * b + m[5] * c)];
}

/** The rotation by `yaw` about the vertical axis, then `pitch` about the horizontal one. */
export function rotationOf(yaw, pitch) {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  return [cy, 0, sy, sp * sy, cp, -sp * cy, -cp * sy, sp, cp * cy];
}
