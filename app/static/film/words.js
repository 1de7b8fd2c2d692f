// The player's words: the sentence over the film.

import { formatCount, formatGamma, formatPercent } from "../kit/format.js";

/** One sentence on run g at frame t. */
export function sentenceOf(film, g, t, row, { onset, total }) {
  const [now, end] = [film.tensors.gamma.data[g * film.T + t], film.gammas[g]].map((gamma) => formatGamma(gamma));
  const where = `γ = ${now}${now === end ? "" : ` on its way to ${end}`}, step ${formatCount(film.steps[t])}: `;
  const diverged = film.info.diverged.find(([run, step]) => run === g && film.steps[t] >= step);
  if (diverged) return `${where}this run diverged before step ${formatCount(diverged[1])}; shown is its last good moment.`;
  if (t === 0) return `${where}before training. All runs of the film start from the same weights.`;
  const accuracy = formatPercent(row.train_accuracy);
  const radius = Number.isFinite(row.predicted_radius) ? `radius ${formatGamma(row.norm_mean)}, predicted ${formatGamma(row.predicted_radius)}` : `radius ${formatGamma(row.norm_mean)}`;
  const size = `${formatPercent(row.within_class_spread)} of the radius in size (${radius}); ${accuracy} of the training samples are right`;
  const next = onset && film.gammas[g] < onset ? ` At this moment collapse sets in from γ = ${formatGamma(onset)}.` : "";
  const said = {
    total: total ? `total collapse. The ramp raised γ faster than the classifier's weights could grow: the classes lie within one another, and accuracy is ${accuracy}.` : `nothing is learned yet: accuracy is ${accuracy}.`,
    guessing: `the classes lie apart, but the classifier only guesses: accuracy is ${accuracy}.`,
    collapsed: `the classes have collapsed: each is ${size}.`,
    falling: `the classes are compact, not points: each is ${size}.${next}`,
  };
  return where + (said[film.phase(g, t)] ?? `the classes are still clouds, ${size}.${next}`);
}
