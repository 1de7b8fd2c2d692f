// The player's words: the sentence under the film, and what its ⓘ buttons say.

import { formatCount, formatGamma, formatPercent } from "../kit/format.js";

/** One sentence on run g at frame t. */
export function sentenceOf(film, g, t, row, { onset, total }) {
  const where = `γ = ${formatGamma(film.gammas[g])}, step ${formatCount(film.steps[t])}: `;
  const diverged = film.info.diverged.find(([run, step]) => run === g && film.steps[t] >= step);
  if (diverged) return `${where}this run diverged before step ${formatCount(diverged[1])}; shown is its last good moment.`;
  if (t === 0) return `${where}before training. All runs of the film start from the same weights.`;
  if (total && film.gammas[g] >= total) {
    return `${where}total collapse. The ramp raised γ faster than the classifier's weights could grow, the classes fell together, accuracy is ${formatPercent(row.train_accuracy)}.`;
  }
  const radius = Number.isFinite(row.predicted_radius) ? `radius ${formatGamma(row.norm_mean)}, predicted ${formatGamma(row.predicted_radius)}` : `radius ${formatGamma(row.norm_mean)}`;
  const size = formatPercent(row.within_class_spread);
  if (row.within_class_spread < 0.1) return `${where}the classes have collapsed: each is ${size} of the radius in size (${radius}).`;
  const next = onset && film.gammas[g] < onset ? ` At this moment collapse sets in from γ = ${formatGamma(onset)}.` : "";
  return `${where}the classes are still clouds, ${size} of the radius in size (${radius}).${next}`;
}

export const FILM_TEXTS = {
  "film-gamma": ["γ of the run",
    "One run per stop, all from the same seed, data and batches: they differ in γ alone. A run ramps up from the same small γ to its own and then holds it, "
    + "so early on neighbours look alike. Left and right arrows move it; so does a press on a curve."],
  "film-time": ["Time",
    "Training steps; early moments lie closer together, because more happens there. Space plays, Shift with left or right (or comma and full stop) moves by one moment."],
  "film-marks": ["Where collapse sets in, and where it is total",
    "Green: the smallest γ whose classes are smaller than a tenth of the radius, at the chosen moment. Red: from here on every γ classifies worse than nine tenths of the best run: "
    + "γ outran the classifier and all classes fell together. Where that begins depends on the length of the ramp and the classifier's learning rate, not on the data alone."],
};
