// One zoom and one rotation for several latent views: what one is told, all of them do.

import { REDUCED } from "../kit/dom.js";
import { Camera, extentOf } from "../latents/camera.js";
import { Latents } from "../latents/latents.js";

export class SharedView {
  constructor() {
    Object.assign(this, { members: [], shared: true, camera: new Camera(), busy: false });
  }

  /** Common axes, or each panel's own. */
  setShared(shared) {
    this.shared = shared;
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
    for (const member of this.members.filter((one) => one !== from)) {
      member.setZoom(mode);
      if (mode === "fixed" && from.axes.range) member.axes.see(from.axes.range);
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
    Object.assign(this, { group, own: this.camera });
    delete this.camera;
    Object.defineProperty(this, "camera", { get: () => (group.shared ? group.camera : this.own) });
    this.spin.changed = () => {
      group.turned(this);
      this.redraw();
    };
    group.members.push(this);
  }

  glide(scene, now) {
    return !this.group.shared && super.glide(scene, now); // the group's glide keeps the drawing going
  }

  setZoom(mode) {
    super.setZoom(mode);
    this.group.zoomed(this, mode);
  }

  /** Those that share this one's zoom. */
  get together() {
    return this.group.shared ? this.group.members : [this];
  }
}
