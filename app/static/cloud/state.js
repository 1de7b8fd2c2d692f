// What a point cloud shows, for tests and benchmarks.

import { buffers } from "../latents/mapping.js";

/** Null until there is something to see. */
export function stateOf(cloud) {
  const { file, axes, camera, picture, gamma, choice, hover, draws } = cloud;
  if (!file || !axes) return null;
  const crosses = axes.points && file.G ? camera.project(gamma.columns(axes.points, file.K), file.K, buffers(file.K)) : null;
  return {
    n: file.n, total: file.info.total, d: file.d, K: file.K, kind: axes.kind, titles: axes.titles, deep: camera.deep, scale: camera.scale, centre: [camera.cx, camera.cy], yaw: camera.yaw,
    chosen: choice.count, hover: hover < 0 ? -1 : file.row(hover), gamma: file.G ? gamma.gamma : null, crosses: crosses && [...crosses.x].map((x, c) => [x, crosses.y[c]]),
    painted: picture.painted, paintMs: picture.paintMs, draws, moving: picture.moving, wrong: file.wrong.reduce((sum, flag) => sum + flag, 0),
  };
}
