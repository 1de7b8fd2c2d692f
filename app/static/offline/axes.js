// A view onto wide latents that neither flips nor jumps: principal axes that turn a little per frame, as `app.training.projection`.

import { svd, unit } from "../engine/rotations.js";

const INERTIA = 4; // weight of the old axes against the data

export class StableAxes {
  /** p axes of latents with d > p nodes. */
  constructor(d, p) {
    Object.assign(this, { d, p, axes: null });
  }

  /** Follows latents (n, d) by one step: p axes, each (d). */
  update(latents) {
    const { centred, largest } = this.centre(latents);
    if (!this.axes) this.axes = this.principal(centred);
    else if (largest > 0) this.axes = this.followed(centred);
    return this.axes;
  }

  /** The latents less their mean, over the largest of what is left: squares of collapsed ones would vanish. */
  centre(latents) {
    const { d } = this;
    const n = latents.length / d;
    const middle = new Float64Array(d);
    latents.forEach((value, at) => (middle[at % d] += value / n));
    const centred = latents.map((value, at) => value - middle[at % d]);
    const largest = centred.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return { centred: largest > 0 ? centred.map((value) => value / largest) : centred, largest };
  }

  /** The directions of largest variance, each pointing to where its largest entry is positive. */
  principal(centred) {
    const every = Array.from({ length: this.d }, (_, i) => unit(this.d, i));
    const { sizes, units } = svd(this.covaried(centred, every));
    const order = sizes.map((_, i) => i).sort((a, b) => sizes[b] - sizes[a]).slice(0, this.p);
    return order.map((i) => {
      const top = units[i].reduce((best, value, j) => (Math.abs(value) > Math.abs(units[i][best]) ? j : best), 0);
      return sizes[i] > 0 ? units[i].map((value) => value * Math.sign(units[i][top])) : every[i];
    });
  }

  /** The covariance, up to a factor, times each of the vectors. */
  covaried(centred, vectors) {
    const { d } = this;
    return vectors.map((vector) => {
      const found = new Float64Array(d);
      for (let at = 0; at < centred.length; at += d) {
        let along = 0;
        for (let j = 0; j < d; j++) along += centred[at + j] * vector[j];
        for (let j = 0; j < d; j++) found[j] += along * centred[at + j];
      }
      return found;
    });
  }

  /** The orthonormal axes nearest to C B/‖C B‖ + INERTIA B (the polar factor), B the old ones. */
  followed(centred) {
    const pull = this.covaried(centred, this.axes);
    const strength = Math.max(...svd(pull).sizes);
    if (!(strength > 0)) return this.principal(centred);
    const { units, rotation } = svd(pull.map((column, a) => column.map((value, j) => value / strength + INERTIA * this.axes[a][j])));
    return this.axes.map((_, a) => Float64Array.from({ length: this.d }, (__, j) => units.reduce((sum, axis, b) => sum + axis[j] * rotation[b][a], 0)));
  }
}
