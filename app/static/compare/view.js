// One zoom and one rotation for several latent views: what one is told, all of them do.

import { Camera, extentOf } from "../latents/camera.js";
import { Latents } from "../latents/latents.js";

const REDUCED = window.matchMedia("(prefers-reduced-motion: reduce)");

export class SharedView {
  constructor() {
    Object.assign(this, { members: [], shared: true, camera: new Camera(), busy: false });
  }

  /** Common axes, or each panel's own. */
  setShared(shared) {
    this.shared = shared;
    this.camera.mode = this.members[0]?.camera.mode ?? "follow";
    for (const member of this.members) member.setZoom("follow");
  }

  /** Once per drawn moment: the extent that holds all panels' points. */
  advance(now) {
    const sizes = this.members.filter((one) => one.tween.to).map((one) => extentOf(one.tween.to, one.setupMessage.info.d));
    return this.shared && sizes.length ? this.camera.update(Math.max(...sizes), now, REDUCED.matches) : false;
  }

  /** One panel was zoomed or panned by hand, or told to follow again. */
  zoomed(from, mode) {
    if (!this.shared || this.busy) return;
    this.busy = true;
    for (const member of this.members) {
      if (member !== from) member.setZoom(mode);
      if (member !== from && mode === "fixed" && from.axes.range) member.lookLike(from.axes.range);
    }
    this.busy = false;
  }

  turned(from) {
    const { yaw, pitch, zoom } = from.spin;
    for (const member of this.members) Object.assign(member.spin, { yaw, pitch, zoom });
  }
}

export class PanelLatents extends Latents {
  constructor(parts, hooks, group) {
    super(parts, hooks);
    Object.assign(this, { group, own: this.camera, shown: null });
    delete this.camera;
    Object.defineProperty(this, "camera", { get: () => (group.shared ? group.camera : this.own) });
    this.spin.changed = () => {
      group.turned(this);
      this.redraw();
    };
    group.members.push(this);
  }

  follow(scene, now) {
    if (!this.group.shared) return super.follow(scene, now);
    const { camera } = this;
    if (scene.p === 2 && !this.held && camera.half && camera.half !== this.shown && camera.mode === "follow") {
      this.axes.lookAt(camera.half);
      this.shown = camera.half;
    }
    return false; // the group's glide keeps the drawing going
  }

  setZoom(mode) {
    this.shown = null;
    super.setZoom(mode);
    this.group.zoomed(this, mode);
  }

  usePlotly(Plotly) {
    this.shown = null;
    super.usePlotly(Plotly);
  }

  /** Those that share this one's zoom. */
  get together() {
    return this.group.shared ? this.group.members : [this];
  }

  lookLike([x, y]) {
    this.axes.range = [[...x], [...y]];
    if (this.Plotly && this.axes.ready) this.Plotly.relayout(this.axes.host, { "xaxis.range": [...x], "yaxis.range": [...y] });
  }

  resize() {
    this.shown = null;
    super.resize();
  }
}
