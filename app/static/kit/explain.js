// The ⓘ texts: one to three plain sentences for every element of the stage.

import { tr } from "./words.js";

/** [title, text] by key, "curve-…" for a chart; `setup` is the run's setup info (its Catalogue among it), for what depends on it. */
export function explanation(key, setup) {
  const [title, text] = TEXTS[key] ?? chartText(setup.catalogue.chart(key.slice("curve-".length)));
  return [title, typeof text === "function" ? text(setup || {}) : text];
}

const CONVENTIONS = {
  sum: tr("Here γ multiplies ‖z‖² summed over the nodes, as in the paper's equation."),
  mean: tr("Here γ multiplies ‖z‖² averaged over the nodes, as in the authors' code: d times weaker than in the paper's equation at the same γ."),
};

const withNote = (text) => (setup) => (setup.theory === false
  ? `${text} ${tr("In this run no prediction is drawn: {note}", { note: tr(setup.theory_note) || tr("the theory does not apply.") })}` : text);

const chartText = ({ title, about, theory }) => [title, theory ? withNote(about) : about];

const TEXTS = {
  gamma: [tr("γ, the penalty's weight"), (setup) =>
    tr("The loss is cross-entropy + γ‖z‖². A larger γ pulls every latent z harder towards the origin; drag it and watch the shell. ")
    + (CONVENTIONS[setup.convention] || "")],
  latents: [tr("Latent view"),
    tr("Each mark is one sample as the penultimate layer sees it; colour and shape give its class, and a hollow mark is classified wrongly. "
    + "Drag to pan, double-click to follow again; after a click the wheel zooms. On a touch screen two fingers move and zoom, one scrolls the page. While paused you can select with the lasso.")],
  inputs: [tr("Inputs"),
    tr("The same samples before the network. Two numbers are a point in the plane, whose colours say which class the network would give to each place; longer lists of numbers are seen "
    + "through their two directions of largest spread; pictures are shown as they are. Point at a sample here, in the latents or in a histogram: it is marked in all three. Drag a box to choose some.")],
  shell: [tr("The shell"), withNote(
    tr("The solid circle has radius R, the mean length of the latents; the dashed one is the radius theory predicts for the present "
    + "classifier and γ. Faint rings show where the shell was at earlier powers of ten of γ. The strip at the right shows R beside its largest value on a log scale, whatever the zoom. "
    + "A plane through more nodes than two has no circle: points at the radius R lie anywhere inside it, so none is drawn."))],
  points: [tr("Predicted collapse points"), withNote(
    tr("For a given classifier the loss of each class has exactly one minimum in z: its collapse point, marked with a cross. "
    + "It is computed from the classifier's weights and γ alone, without looking at the samples."))],
  forces: [tr("Forces"),
    tr("Blue: cross-entropy pushes a class outward. Red: the penalty γ pulls it inward. Green: the part of their sum along the shell, which turns "
    + "the class into place. All arrows share one scale, set by the longest; where blue and red cancel, the class is at rest.")],
  nodes: [tr("Nodes"),
    tr("How often each node of z takes each value, coloured by class. As γ grows the values gather in two opposite peaks, a binary code. "
    + "“Peaks 12 σ apart” is the distance of the two peaks in units of their width; a single bell curve reads 2.6. In our runs binary codes appear under Adam-type optimisers and not under plain SGD.")],
};

/** More texts, for pages with parts of their own: {key: [title, text]}. */
export function addExplanations(more) {
  Object.assign(TEXTS, more);
}
