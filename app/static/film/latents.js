// The latent view of a film: the zoom follows at every drawing, Plotly's axes (20 ms each time) only now and then.

import { extentOf } from "../latents/camera.js";
import { Latents } from "../latents/latents.js";
import { planeMapping } from "../latents/mapping.js";

const AXES_MS = 120;
const REDUCED = window.matchMedia("(prefers-reduced-motion: reduce)");

export class FilmLatents extends Latents {
  follow(scene, now) {
    const { camera } = this;
    const gliding = camera.update(extentOf(scene, this.setupMessage.info.d), now, REDUCED.matches);
    const behind = scene.p === 2 && camera.mode === "follow" && !this.held && camera.half !== this.lookedTo;
    if (!behind) return gliding;
    if (gliding && now - this.lookedAt < AXES_MS) return true;
    this.axes.lookAt(camera.half);
    Object.assign(this, { lookedTo: camera.half, lookedAt: now });
    return gliding;
  }

  mappingFor(scene) {
    if (scene.p === 3 || this.camera.mode !== "follow" || this.held) return super.mappingFor(scene);
    const { rect } = this.axes.where();
    return planeMapping(rect, 0, 0, Math.min(rect.w, rect.h) / 2 / this.camera.half);
  }

  setZoom(mode) {
    this.lookedTo = null;
    super.setZoom(mode);
  }

  resize() {
    this.lookedTo = null;
    super.resize();
  }
}
