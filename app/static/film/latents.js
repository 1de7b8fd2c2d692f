// The latent view of a film: the zoom follows at every drawing, Plotly's axes (20 ms each time) only now and then.

import { Latents } from "../latents/latents.js";
import { mappingOf } from "../latents/mapping.js";

export class FilmLatents extends Latents {
  axesMs = 120; // that a gliding view does without its axes

  mappingFor(scene) {
    if (scene.p === 3 || this.camera.mode !== "follow" || this.held) return super.mappingFor(scene);
    const { rect } = this.axes.where();
    return mappingOf(rect, 0, 0, Math.min(rect.w, rect.h) / 2 / this.camera.half);
  }
}
