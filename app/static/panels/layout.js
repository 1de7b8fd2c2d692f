// The stage's skeleton: bars, panels and the places where the parts draw.

import { Layers } from "../controls/layers.js";
import { el, setText } from "../kit/dom.js";
import { tr } from "../kit/words.js";

/** Builds the elements; `info(key)` makes an ⓘ button, `inputs` has the panel of the inputs and its button, where there is one. Returns them by name. */
export function buildLayout({ transport, viewTools, info, inputs }) {
  const part = { viewTools };
  const make = (name, tag, options, ...children) => (part[name] = el(tag, options, ...children));
  make("notices", "div", { class: "lpc-notices" });
  make("plot", "div", { class: "lpc-plot", testid: "lpc-plot" });
  make("selection", "div", { class: "lpc-selection", role: "status", hidden: true, testid: "lpc-selection" });
  make("legend", "div", { class: "lpc-legend", role: "group", "aria-label": tr("Classes") });
  make("theoryNote", "p", { class: "lpc-hint", testid: "lpc-theory-note", hidden: true });
  make("layers", "div", { class: "lpc-layers", role: "group", "aria-label": tr("Drawn with the points") });
  make("strip", "div", { class: "lpc-strip", role: "group", "aria-label": tr("All nodes"), hidden: true, testid: "lpc-strip" });
  make("nodesNote", "span", { class: "lpc-hint" });
  make("nodesChart", "div", { class: "lpc-nodes-chart" });
  make("curvesTools", "div", { class: "lpc-tools" });
  make("curvesChart", "div", { class: "lpc-curves-chart" });
  make("cover", "div", { class: "lpc-cover", role: "status", testid: "lpc-cover" });
  make("sentence", "p", { class: "lpc-sentence", "aria-live": "polite", testid: "lpc-sentence" });
  const left = el("section", { class: "lpc-panel lpc-hero", testid: "lpc-latents" },
    head(tr("Latent space"), info("latents"), make("data", "span", { class: "lpc-data-name", testid: "lpc-data-name" }), viewTools), part.plot, part.selection, el("div", { class: "lpc-keys" }, part.layers, inputs?.toggle, part.legend), part.theoryNote);
  const nodes = el("section", { class: "lpc-panel lpc-nodes-panel", testid: "lpc-nodes" },
    head(tr("Nodes"), info("nodes"), el("div", { class: "lpc-tools" }, part.nodesNote)), part.nodesChart, part.strip);
  const curves = el("section", { class: "lpc-panel lpc-curves", testid: "lpc-curves" }, head(tr("Curves"), info("curves"), part.curvesTools), part.curvesChart);
  const panels = el("div", { class: "lpc-panels" }, left, el("div", { class: "lpc-right" }, inputs?.element, nodes, curves), part.cover);
  make("said", "div", { class: "lpc-said" }, part.sentence, info("collapse"));
  part.children = [transport, part.said, part.notices, panels]; // the sentence above: no fold hides it
  return part;
}

function head(title, about, ...tools) {
  return el("header", { class: "lpc-head" }, el("h2", { text: title }), about, ...tools);
}

/** Whether this run has predicted points; `note` says why not. */
export function showTheory({ layers, theoryNote }, theory, note) {
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
