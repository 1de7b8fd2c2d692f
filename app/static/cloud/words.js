// The words of a point cloud: what is drawn and chosen, and its ⓘ texts.

import { formatCount } from "../kit/format.js";
import { tr } from "../kit/words.js";

/** How many samples are drawn along `axes`, and how many of them chosen. */
export function statusOf({ n, info: { total } }, axes, chosen) {
  const drawn = n ? drawnOf(n, total, axes) : tr("no samples: the head alone");
  return chosen ? tr("{chosen} chosen of {drawn}", { chosen: formatCount(chosen), drawn }) : drawn;
}

function drawnOf(n, total, axes) {
  const placed = axes.xyz[0].reduce((sum, value) => sum + Number(Number.isFinite(value)), 0);
  const part = n < total ? tr("{n} of {all} samples drawn, every class in proportion", { n: formatCount(n), all: formatCount(total) }) : tr("{n} samples", { n: formatCount(n) });
  return placed < n ? tr("{part}; {n} of them have a place in this view", { part, n: formatCount(placed) }) : part;
}

export const CLOUD_TEXTS = {
  cloud: [tr("The latents"),
    tr("Each mark is one sample as the watched layer sees it; colour and shape give its class, and a hollow mark is predicted wrongly. "
    + "Drag to move (or turn), double-click to see everything; after a click the wheel and + − arrows work too. "
    + "Lasso or box chooses samples: Shift adds, Alt takes away, Escape clears.")],
  "cloud-axes": [tr("Axes"),
    tr("Nodes are the layer's own coordinates. PCA turns them so that the largest spread shows. t-SNE and UMAP keep neighbours together, but distances between "
    + "clusters and their sizes mean little there, so collapse cannot be judged from them and no predicted points are drawn.")],
  "cloud-gamma": [tr("Where would this head's classes fall?"),
    tr("For a given classifier (W, b) and γ, the loss of each class, cross-entropy + γ‖z‖², has exactly one minimum in z: its predicted collapse point, drawn as a cross. "
    + "It is computed from the head alone. γ multiplies ‖z‖² summed over the nodes; the authors' code averages over nodes, which is d times weaker at the same number. "
    + "Green marks the γ whose points lie nearest to the class means; red the γ from which some class's own point is no longer classified as that class for sure.")],
};
