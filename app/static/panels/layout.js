// The stage's skeleton: bars, panels and the places where the parts draw.

import { Layers } from "../controls/layers.js";
import { el, segmented, setText } from "../kit/dom.js";
import { tr } from "../kit/words.js";

export const MANY_CLASSES = 12; // with more of them arrows would hide the points: at first there are none

/** Builds the elements; `info(key)` makes an ⓘ button, `inputs` has the panel of the inputs and its button, where there is one, `notices` the bar and the cover. Returns them by name. */
export function buildLayout({ transport, viewTools, info, inputs, notices: { bar, cover } }) {
  const part = {
    viewTools, cover,
    plot: el("div", { class: "lpc-plot", testid: "lpc-plot" }),
    selection: el("div", { class: "lpc-selection", role: "status", hidden: true, testid: "lpc-selection" }),
    legend: el("div", { class: "lpc-legend", role: "group", "aria-label": tr("Classes") }),
    theoryNote: el("p", { class: "lpc-hint", testid: "lpc-theory-note", hidden: true }),
    layers: el("div", { class: "lpc-layers", role: "group", "aria-label": tr("Drawn with the points") }),
    data: el("span", { class: "lpc-data-name", testid: "lpc-data-name" }),
    strip: el("div", { class: "lpc-strip", role: "group", "aria-label": tr("All nodes"), hidden: true, testid: "lpc-strip" }),
    nodesNote: el("span", { class: "lpc-hint" }),
    nodesChart: el("div", { class: "lpc-nodes-chart" }),
    curvesTools: el("div", { class: "lpc-tools" }),
    curvesChart: el("div", { class: "lpc-curves-chart" }),
    sentence: el("p", { class: "lpc-sentence", "aria-live": "polite", testid: "lpc-sentence" }),
  };
  const left = el("section", { class: "lpc-panel lpc-hero", testid: "lpc-latents" },
    head(tr("Latent space"), info("latents"), part.data, viewTools), part.plot, part.selection, el("div", { class: "lpc-keys" }, part.layers, inputs?.toggle, part.legend), part.theoryNote);
  const nodes = el("section", { class: "lpc-panel", testid: "lpc-nodes" },
    head(tr("Nodes"), info("nodes"), el("div", { class: "lpc-tools" }, part.nodesNote)), part.nodesChart, part.strip);
  const curves = el("section", { class: "lpc-panel lpc-curves", testid: "lpc-curves" }, head(tr("Curves"), info("curves"), part.curvesTools), part.curvesChart);
  const panels = el("div", { class: "lpc-panels" }, left, el("div", { class: "lpc-right" }, inputs?.element, nodes, curves), cover);
  part.children = [transport, el("div", { class: "lpc-said" }, part.sentence, info("collapse")), bar, panels]; // the sentence above: no fold hides it
  return part;
}

const head = (title, about, ...tools) => el("header", { class: "lpc-head" }, el("h2", { text: title }), about, ...tools);

/** Whether the zoom follows the shell, beside its label; `select(mode)` presses without calling back. */
export function zoomSwitch(onPick) {
  const modes = segmented(tr("Zoom"), [
    { value: "follow", text: tr("follow"), title: tr("Zoom in as the shell shrinks"), testid: "lpc-zoom-follow" },
    { value: "fixed", text: tr("fixed"), title: tr("Keep the axes where they are"), testid: "lpc-zoom-fixed" },
  ], onPick, "lpc-zoom");
  modes.select("follow");
  return Object.assign(el("span", { class: "lpc-zoom-label" }, el("span", { class: "lpc-hint", text: tr("zoom") }), modes), { select: modes.select });
}

/** Whether this run has predicted points; its note says why not. */
export function showTheory({ layers, theoryNote }, { theory, theory_note: note }) {
  layers.classList.toggle("lpc-no-theory", !theory);
  theoryNote.hidden = theory;
  setText(theoryNote, theory ? "" : tr("No predicted points in this run. {note}", { note: tr(note) }));
}

/** The chips of what is drawn with the points, each with its ⓘ, in `host`. */
export function buildLayers(host, info, changed) {
  const mark = (key, ...inside) => el("span", { class: `lpc-mark lpc-mark-${key}`, "aria-hidden": "true" }, ...inside);
  const arrows = ["out", "inward", "along"].map((name) => el("i", { class: `lpc-force-${name}` }));
  const layers = new Layers("lpc-layer", {
    shell: [mark("shell", el("i")), tr("shell")], points: [mark("points", el("i", { text: "✚" })), tr("predicted z*")], forces: [mark("forces", ...arrows), tr("forces")],
  }, changed);
  for (const [key, chip] of Object.entries(layers.chips)) host.append(el("span", { class: "lpc-layer" }, chip, info(key)));
  host.append(el("span", { class: "lpc-hint lpc-plane-note", text: tr("seen through some of its dimensions, the shell is no circle: the strip shows R") }));
  return layers;
}
