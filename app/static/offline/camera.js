// From the view that was asked for to axes, nodes and the range of the histograms, as `app.training.camera`.

import { unit } from "../engine/rotations.js";
import { StableAxes } from "./axes.js";

const MOST_LARGE = 8; // nodes with a histogram in large

export class Camera {
  constructor(d) {
    Object.assign(this, { d, range: null, stable: null });
  }

  /** How to draw latents (n, d): {projection, nodes, dims, large, axes: dims × (d), hist_range}. Missing nodes are replaced. */
  look({ projection, nodes, dims, large }, latents) {
    const { d } = this;
    const known = [...new Set(large)].filter((node) => node < d).slice(0, MOST_LARGE);
    const picked = projection === "pca" ? [] : this.existing(nodes, Math.min(dims, d));
    const axes = projection === "pca" && d > dims ? this.principal(latents, dims) : (picked.length ? picked : this.existing([], Math.min(dims, d))).map((node) => unit(d, node));
    while (axes.length < dims) axes.push(new Float64Array(d));
    return { projection, nodes: picked, dims, large: known.length ? known : [0], axes, hist_range: this.widened(latents) };
  }

  principal(latents, dims) {
    if (this.stable?.p !== dims) this.stable = new StableAxes(this.d, dims);
    return [...this.stable.update(latents)];
  }

  /** `count` different nodes: those asked for first, then the lowest others. */
  existing(asked, count) {
    const all = Array.from({ length: this.d }, (_, j) => j);
    return [...new Set([...asked.filter((node) => node < this.d), ...all])].slice(0, count);
  }

  /** Half the width of the histograms in steps of √2: grows at once, shrinks only when a step and a half too wide. */
  widened(latents) {
    const top = latents.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const exact = 2 * Math.log2(top);
    if (top > 0 && Number.isFinite(top) && (this.range === null || exact > this.range || exact < this.range - 1.5)) this.range = Math.ceil(exact);
    return this.range === null ? 1 : 2 ** (this.range / 2);
  }
}
