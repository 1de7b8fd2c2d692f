// Above the latent view: two or three dimensions, PCA or nodes, which nodes, and whether the zoom follows.

import { el, renew, segmented } from "../kit/dom.js";
import { nodeMenu, swapped } from "../controls/nodepicks.js";
import { zoomSwitch } from "../panels/layout.js";
import { tr } from "../kit/words.js";

export class ViewControls {
  /** onView(view) is told {projection, nodes, dims} after every change by hand; onZoom("follow" | "fixed"). */
  constructor({ onView, onZoom }) {
    Object.assign(this, { onView, d: 2, view: { projection: "nodes", nodes: [0, 1], dims: 2 } });
    this.dims = segmented(tr("Dimensions drawn"), [
      { value: 2, text: "2-D", title: tr("Draw two dimensions"), testid: "lpc-dims-2" },
      { value: 3, text: "3-D", title: tr("Draw three dimensions; drag to turn"), testid: "lpc-dims-3" },
    ], (dims) => this.change({ dims, nodes: this.pickNodes(dims) }), "lpc-dims");
    this.projection = segmented(tr("Projection"), [
      { value: "pca", text: "PCA", title: tr("The directions of largest spread"), testid: "lpc-projection-pca" },
      { value: "nodes", text: tr("nodes"), title: tr("The nodes themselves"), testid: "lpc-projection-nodes" },
    ], (projection) => this.change({ projection }), "lpc-projection");
    this.zoom = zoomSwitch(onZoom);
    this.nodes = el("span", { class: "lpc-node-picks", "data-testid": "lpc-node-picks" });
    this.element = el("div", { class: "lpc-tools" }, this.dims, this.projection, this.nodes, this.zoom);
    this.refresh();
  }

  /** A new run with d nodes: the plane of both nodes, or PCA when there are more; with as many as before, choices stay. */
  setup(d) {
    if (d !== this.d) this.view = { projection: d > 2 ? "pca" : "nodes", nodes: [0, 1].slice(0, d), dims: 2 };
    this.d = d;
    this.refresh();
  }

  /** Those that are drawn, and the first others as far as more are needed. */
  pickNodes(dims) {
    return [...new Set([...this.view.nodes.slice(0, dims), ...new Array(this.d).keys()])].slice(0, dims);
  }

  change(part) {
    this.view = { ...this.view, ...part };
    this.refresh();
    this.onView(this.view);
  }

  refresh() {
    const { d, view } = this;
    this.dims.hidden = this.projection.hidden = d < 3;
    this.dims.select(view.dims);
    this.projection.select(view.projection);
    this.nodes.hidden = d < 3 || view.projection !== "nodes";
    renew(this.nodes, ...view.nodes.slice(0, view.dims).map((node, slot) => nodeMenu(
      slot, d, node, `lpc-node-${slot}`, (value) => this.change({ nodes: swapped(view.nodes, slot, value) }))));
  }
}
