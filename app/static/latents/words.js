// The latent view in words, for whoever does not see it: how many points, of which classes, how far out, how tight.

import { formatCount, formatGamma, formatPercent, nodeName } from "../kit/format.js";
import { tr } from "../kit/words.js";

export const VIEW = tr("Latent view");
const NAMED = 12; // classes that are counted by name

/** One sentence or two on a moment of the run that `setup` opened. */
export function described({ norm_mean: radius, step, metrics = {} }, setup) {
  if (!setup) return tr("Latent points by class");
  const { info: { class_names: names, title }, labels } = setup;
  const counts = names.map(() => 0);
  for (const label of labels) counts[label] += 1;
  const classes = names.length > NAMED ? tr("{n} classes", { n: names.length }) : names.map((name, c) => `${name} ${formatCount(counts[c])}`).join(", ");
  const told = { points: formatCount(labels.length), classes, step: formatCount(step), radius: formatGamma(radius), spread: formatPercent(metrics.within_class_spread) };
  const said = Number.isFinite(metrics.within_class_spread)
    ? tr("{points} latent points ({classes}) at step {step}; radius {radius}, spread within a class {spread} of it.", told)
    : tr("{points} latent points ({classes}) at step {step}; radius {radius}.", told);
  return title ? `${tr(title)}: ${said}` : said;
}

/** The names of the drawn axes; of one node alone, the second only spreads the points. */
export function titlesOf({ projection, nodes }) {
  if (projection === "pca") return ["PC 1", "PC 2", "PC 3"];
  return nodes.length < 2 ? [...nodes.map(nodeName), tr("spread")] : nodes.map(nodeName);
}
