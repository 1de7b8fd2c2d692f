// Paints a scene on the canvas of the latent view: ghosts, samples, shell, forces, collapse points, means, ruler.

import { clip, fit } from "../kit/canvas.js";
import { buffers, projectAll } from "./mapping.js";
import { drawCrosses, drawForces, drawGhosts, drawMeans, drawRing, drawShell, drawSphere } from "./overlays.js";
import { depthOrder, drawDeep, drawFlat } from "./points.js";
import { drawRuler } from "./ruler.js";

export class Painter {
  constructor(canvas) {
    Object.assign(this, { canvas, size: [canvas.width, canvas.height], at: { n: 0 } });
  }

  /** look: {layers, ghosts, titles, labels, brush, focus, flags: the samples to be seen before others, pointed, theme, whole: whether the view has all nodes, reach: its half width, samples: whether they are drawn too, told: the moment of the numbers}. */
  paint(scene, mapping, look) {
    const { layers, ghosts, theme, brush: { colours } } = look;
    const ctx = fit(this.canvas, ...this.size);
    clip(ctx, mapping.rect);
    if (layers.shell && look.whole) drawGhosts(ctx, mapping, ghosts.list(scene.norm_mean), ghosts.prefix, theme);
    if (scene.p === 3) drawSphere(ctx, mapping, look.whole ? scene.norm_mean : null, look.reach, look.titles, theme);
    this.project(scene, mapping, colours.length);
    if (!look.whole) this.paintTheory(ctx, scene, mapping, look); // of a plane through many nodes: behind the samples
    if (look.samples) this.paintSamples(ctx, scene, look);
    if (layers.shell && look.whole) drawShell(ctx, mapping, scene.norm_mean, layers.points ? scene.predicted_radius : null, theme);
    if (look.whole) this.paintTheory(ctx, scene, mapping, look);
    drawMeans(ctx, this.at.means, colours.length, theme);
    if (look.pointed >= 0 && look.pointed < scene.n) drawRing(ctx, this.at.x[look.pointed], this.at.y[look.pointed], theme);
    ctx.restore();
    const beside = this.size[0] - mapping.rect.x - mapping.rect.w;
    drawRuler(ctx, mapping.rect, beside, { radius: scene.norm_mean, told: look.told.norm_mean, largest: ghosts.largest, rings: ghosts.list(scene.norm_mean) }, theme);
  }

  /** Force arrows and collapse points. Where the view leaves out nodes they are small: clouds overlap in it, and marks hide them. */
  paintTheory(ctx, scene, mapping, { layers, whole, theme, focus, brush: { colours } }) {
    const K = colours.length;
    const means = projectAll(mapping, scene.means, K, scene.p, this.at.means);
    if (layers.forces && scene.forces) drawForces(ctx, mapping, means, scene.forces, K, scene.p, theme);
    if (!layers.points || !scene.collapse_points) return;
    drawCrosses(ctx, projectAll(mapping, scene.collapse_points, K, scene.p, this.at.points), colours, focus, theme, whole && K <= 12);
  }

  project(scene, mapping, K) {
    if (this.at.n !== scene.n || this.at.K !== K) {
      this.at = { n: scene.n, K, ...buffers(scene.n), means: buffers(K), points: buffers(K) };
    }
    projectAll(mapping, scene.xy, scene.n, scene.p, this.at);
  }

  paintSamples(ctx, scene, { labels, brush, focus, flags, theme }) {
    const { at } = this;
    const what = { at, n: scene.n, labels, predictions: scene.predictions, brush, focus, flags, theme };
    if (scene.p === 2) return drawFlat(ctx, what);
    at.order = depthOrder(at.depth, scene.n, at.order);
    drawDeep(ctx, { ...what, order: at.order, reach: 1.2 * scene.norm_mean });
  }
}
