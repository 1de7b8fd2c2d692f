// The buttons of a point cloud: which axes, which tool, what is drawn with the samples, what is chosen.

import { button, el, icon, renew, segmented } from "../kit/dom.js";
import { formatCount } from "../kit/format.js";
import { Layers } from "../controls/layers.js";
import { nodeMenu, slotName, swapped } from "../controls/nodepicks.js";
import { tr } from "../kit/words.js";

const ICONS = {
  move: "M12 2l3.200 3.800h-2.300v5.300h5.300V8.800L22 12l-3.800 3.200v-2.300h-5.300v5.300h2.300L12 22l-3.200-3.800h2.300v-5.300H5.800v2.300L2 12l3.800-3.200v2.300h5.300V5.800H8.800z",
  lasso: "M12 3C6.500 3 2 6 2 9.800c0 2.400 1.800 4.500 4.500 5.700-.3.500-.5 1-.5 1.500 0 1.700 1.500 3 3.400 3 .6 0 1.200-.1 1.700-.4-.1.700-.5 1.300-1.100 1.700l1.100 1.400c1.300-1 2-2.500 2-4.200 0-.6-.1-1.200-.3-1.700C18 16.400 22 13.500 22 9.800 22 6 17.500 3 12 3zm0 1.900c4.500 0 8.100 2.200 8.100 4.900 0 2.600-3.300 4.700-7.500 4.900-.8-1.100-2-1.700-3.200-1.700-.4 0-.8.100-1.200.2-2.500-.7-4.300-1.900-4.300-3.400 0-2.700 3.600-4.900 8.100-4.900zM9.400 15c.9 0 1.600.6 1.600 1.400s-.7 1.500-1.600 1.500-1.600-.7-1.600-1.500.7-1.400 1.600-1.400z",
  box: "M3 3h4v2H5v2H3zm6 0h6v2H9zm8 0h4v4h-2V5h-2zM3 9h2v6H3zm16 0h2v6h-2zM3 17h2v2h2v2H3zm6 2h6v2H9zm10-2h2v4h-4v-2h2z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  minus: "M5 11h14v2H5z",
  home: "M4 4h6v2H7.400l3.300 3.300-1.400 1.400L6 7.400V10H4zm10 0h6v6h-2V7.400l-3.300 3.300-1.400-1.400L16.600 6H14zM9.300 13.300l1.400 1.400L7.400 18H10v2H4v-6h2v2.600zm5.400 0L18 16.600V14h2v6h-6v-2h2.600l-3.300-3.300z",
  picture: "M4 4h16v16H4zM6 17h12l-4-5-3 3.500-2-2z",
};
const TITLES = { nodes: tr("nodes"), pca: "PCA", tsne: "t-SNE", umap: "UMAP" };
const ABOUT = {
  nodes: tr("The layer's own coordinates"), pca: tr("The directions of largest spread"),
  tsne: tr("Neighbours stay together (takes a while)"), umap: tr("Neighbours stay together (takes a while)"),
};
const MANY_NODES = 64; // more than this are typed, not listed

export class CloudTools {
  /** hooks: {info(key), look(sight), zoom(factor), home(), layers(), choose(what), clear(), want(kind), picture(), used(tool)} */
  constructor(hooks) {
    Object.assign(this, { hooks, tool: "move", sight: null });
    this.view = el("div", { class: "lpc-tools" });
    this.buildHandles();
    this.buildChoice();
    this.buildLayers();
  }

  buildHandles() {
    const modes = segmented(tr("What a drag does"), [
      { value: "move", text: "", title: tr("Drag to move or turn (M)"), testid: "lpc-cloud-move" },
      { value: "lasso", text: "", title: tr("Choose with a lasso (L); Shift adds, Alt takes away"), testid: "lpc-cloud-lasso" },
      { value: "box", text: "", title: tr("Choose with a box (B); Shift adds, Alt takes away"), testid: "lpc-cloud-box" },
    ], (tool) => this.use(tool), "lpc-cloud-mode");
    ["move", "lasso", "box"].forEach((name, i) => {
      modes.children[i].append(icon(ICONS[name]));
      modes.children[i].setAttribute("aria-label", modes.children[i].title);
    });
    this.modes = modes;
    const act = (name, title, click) => el("button", { type: "button", title, "aria-label": title, testid: `lpc-cloud-${name}`, on: { click } }, icon(ICONS[name]));
    const zoom = el("div", { class: "lpc-segmented" }, act("plus", tr("Zoom in (+)"), () => this.hooks.zoom(1.5)), act("minus", tr("Zoom out (−)"), () => this.hooks.zoom(1 / 1.5)),
      act("home", tr("Show everything (0 or double-click)"), () => this.hooks.home()), act("picture", tr("Save the picture as PNG"), () => this.hooks.picture()));
    this.handles = el("div", { class: "lpc-cloud-handles" }, modes, zoom);
    modes.select(this.tool);
  }

  buildChoice() {
    this.wrong = button(tr("misclassified"), "lpc-cloud-wrong", () => this.hooks.choose("wrong"));
    this.ambiguous = button(tr("most ambiguous"), "lpc-cloud-ambiguous", () => this.hooks.choose("ambiguous"), { title: tr("Choose the samples the head is least sure of") });
    this.none = button(tr("clear"), "lpc-cloud-clear", () => this.hooks.clear(), { title: tr("Choose none (Escape)") });
    this.choice = el("div", { class: "lpc-cloud-choose", role: "group", "aria-label": tr("Choose samples") }, this.wrong, this.ambiguous, this.none);
  }

  buildLayers() {
    const mark = (text) => el("span", { "aria-hidden": "true", text });
    this.layers = new Layers("lpc-cloud-layer", {
      points: [mark("✚"), tr("predicted z*")], means: [mark("•"), tr("class means")], head: [mark("╱"), tr("rows of W")],
    }, () => this.hooks.layers());
    this.layerChips = el("div", { class: "lpc-layers", role: "group", "aria-label": tr("Drawn with the samples") }, ...Object.values(this.layers.chips));
  }

  use(tool) {
    this.tool = tool;
    this.modes.select(tool);
    this.hooks.used(tool);
  }

  /** A file's buttons; `ready` is a projection that has just been computed, and is shown at once. */
  open(file, props, ready) {
    Object.assign(this, { file, offers: file.d > 3 ? ["nodes", ...(file.has("pca") ? ["pca"] : []), ...(file.n ? props.offers ?? [] : [])] : ["nodes"], busy: props.busy ?? "" });
    if (!this.sight) {
      this.sight = this.usual();
      this.layers.set("head", !file.n); // a head alone is about its rows
    }
    if (ready) this.sight = { ...this.sight, kind: ready };
    this.choice.hidden = !file.n;
    this.wrong.disabled = !file.wrong.includes(1);
    this.wrong.title = this.wrong.disabled ? tr("No sample is known to be predicted wrongly") : tr("Choose every sample that is predicted wrongly");
    this.ambiguous.disabled = !file.info.ambiguous.length;
    this.refresh();
  }

  /** The axes that a file is seen along at first. */
  usual() {
    const { file } = this;
    const raw = file.d <= 3 || !file.has("pca");
    return { kind: raw ? "nodes" : "pca", nodes: [0, 1, 2].slice(0, file.d), dims: file.d === 3 ? 3 : 2 };
  }

  change(part) {
    const sight = { ...this.sight, ...part };
    if (!this.file.has(sight.kind)) return this.hooks.want(sight.kind);
    this.sight = sight;
    this.refresh();
    this.hooks.look(sight);
  }

  refresh() {
    const { file, sight, hooks } = this;
    const children = [];
    if (file.d > 2) children.push(this.dims());
    if (this.offers.length > 1) children.push(this.kinds(), hooks.info("cloud-axes"));
    if (sight.kind === "nodes" && file.d > 1) children.push(this.picks());
    renew(this.view, ...children);
    const { head, points, means } = this.layers.chips;
    [head.hidden, points.hidden, means.hidden] = [!file.info.head, !file.G, !file.n];
  }

  dims() {
    const dims = segmented(tr("Dimensions drawn"), [
      { value: 2, text: "2-D", title: tr("Draw two dimensions"), testid: "lpc-cloud-2d" },
      { value: 3, text: "3-D", title: tr("Draw three dimensions; drag to turn"), testid: "lpc-cloud-3d" },
    ], (value) => this.change({ dims: value }));
    dims.select(this.sight.dims);
    return dims;
  }

  kinds() {
    const kinds = segmented(tr("Axes"), this.offers.map((kind) => ({
      value: kind, text: this.busy === kind ? `${TITLES[kind]}…` : TITLES[kind], title: this.file.has(kind) ? ABOUT[kind] : tr("{what}; a press computes it", { what: ABOUT[kind] }), testid: `lpc-cloud-axes-${kind}`,
    })), (kind) => this.change({ kind }));
    kinds.select(this.sight.kind);
    return kinds;
  }

  /** One choice of node per axis. */
  picks() {
    const { file: { d }, sight: { nodes, dims } } = this;
    const choose = d <= MANY_NODES ? nodeMenu : nodeBox;
    return el("span", { class: "lpc-node-picks" }, ...nodes.slice(0, Math.min(dims, d)).map((node, slot) => choose(slot, d, node, `lpc-cloud-node-${slot}`, (to) => this.change({ nodes: swapped(nodes, slot, to) }))));
  }
}

/** Among very many nodes the axis's is typed. */
function nodeBox(slot, d, node, testid, onPick) {
  const box = el("input", { type: "number", class: "lpc-cloud-node", min: 1, max: d, value: node + 1, title: tr("{axis}, 1 to {n}", { axis: slotName(slot), n: formatCount(d) }), "aria-label": slotName(slot), testid });
  box.addEventListener("change", () => onPick(Math.max(0, Math.min(d - 1, Math.round(Number(box.value) || 1) - 1))));
  return box;
}
