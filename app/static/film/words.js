// The player's words: the sentence over the film.

import { formatCount, formatGamma, formatPercent } from "../kit/format.js";
import { tr } from "../kit/words.js";

/** One sentence on run g at frame t. */
export function sentenceOf(film, g, t, row, { onset, total }) {
  const [now, end] = [film.tensors.gamma.data[g * film.T + t], film.gammas[g]].map((gamma) => formatGamma(gamma));
  const at = { now, end, step: formatCount(film.steps[t]) };
  const where = now === end ? tr("γ = {now}, step {step}:", at) : tr("γ = {now} on its way to {end}, step {step}:", at);
  const diverged = film.info.diverged.find(([run, step]) => run === g && film.steps[t] >= step);
  if (diverged) return `${where} ${tr("this run diverged before step {step}; shown is its last good moment.", { step: formatCount(diverged[1]) })}`;
  if (t === 0) return `${where} ${tr("before training. All runs of the film start from the same weights.")}`;
  const numbers = { accuracy: formatPercent(row.train_accuracy), radius: formatGamma(row.norm_mean), predicted: formatGamma(row.predicted_radius), size: formatPercent(row.within_class_spread) };
  const size = Number.isFinite(row.predicted_radius) ? tr("{size} of the radius in size (radius {radius}, predicted {predicted}); {accuracy} of the training samples are right", numbers)
    : tr("{size} of the radius in size (radius {radius}); {accuracy} of the training samples are right", numbers);
  const next = onset && film.gammas[g] < onset ? ` ${tr("At this moment collapse sets in from γ = {onset}.", { onset: formatGamma(onset) })}` : "";
  const told = {
    total: total ? tr("total collapse. The ramp raised γ faster than the classifier's weights could grow: the classes lie within one another, and accuracy is {accuracy}.", numbers)
      : tr("nothing is learned yet: accuracy is {accuracy}.", numbers),
    guessing: tr("the classes lie apart, but the classifier only guesses: accuracy is {accuracy}.", numbers),
    collapsed: tr("the classes have collapsed: each is {size}.", { size }),
    falling: `${tr("the classes are compact, not points: each is {size}.", { size })}${next}`,
  };
  return `${where} ${told[film.phase(g, t)] ?? `${tr("the classes are still clouds, {size}.", { size })}${next}`}`;
}
