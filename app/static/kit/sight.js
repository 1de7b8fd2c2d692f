// Where a fixed zoom looks: said to a link, and taken from one.

/** Latent units to the nearer edge, and the middle. */
export function sightOf({ spin, camera, axes }) {
  if (spin.active) return [camera.half / spin.zoom, 0, 0];
  const { rect, cx, cy, scale } = axes.where();
  return [Math.min(rect.w, rect.h) / 2 / scale, cx, cy];
}

/** The view, and those `together` with it, look there and stay. */
export function lookFrom(latents, half, cx, cy) {
  latents.setZoom("fixed");
  for (const one of latents.together ?? [latents]) {
    one.camera.half = half;
    one.axes.lookAt(half, cx, cy);
    one.redraw();
  }
}
