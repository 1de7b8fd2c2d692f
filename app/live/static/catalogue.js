// What each curve is called, how its axis is scaled and where its numbers come from.

export const ACCURACY_TRAIN = ["train_accuracy", "accuracy_train", "accuracy"];
export const ACCURACY_TEST = ["test_accuracy", "accuracy_test", "val_accuracy"];

const line = (label, names, style = {}) => ({ label, names, ...style });

/** Charts by key: {title, log, range, lines: [{label, names (first known wins), dash}]}. */
export const CHARTS = {
  radius: { title: "Radius R", log: true, lines: [
    line("measured", ["radius", "norm_mean"]), line("predicted", ["predicted_radius"], { dash: "dash" })] },
  nc1: { title: "NC1 and spread", log: true, lines: [
    line("NC1", ["nc1_pinv"]), line("spread", ["within_class_spread", "sigma_w_trace"], { dash: "dot" })] },
  separation: { title: "Separation ratio 𝓡", log: true, lines: [line("𝓡", ["separation_ratio"])] },
  accuracy: { title: "Accuracy", log: false, range: [0, 1.02], percent: true, lines: [
    line("train", ACCURACY_TRAIN), line("test", ACCURACY_TEST, { dash: "dot" })] },
  loss: { title: "Cross-entropy", log: true, lines: [
    line("train", ["train_cross_entropy", "cross_entropy", "train_loss", "loss"]), line("test", ["test_cross_entropy", "test_loss"], { dash: "dot" })] },
};

export const DEFAULT_CHARTS = ["radius", "nc1", "separation", "accuracy"];

const TITLES = {
  nc1_pinv: "NC1", nc1_pinv_per_node: "NC1 per node", nc1_cdnv: "NC1 (CDNV)", nc2_equinorm: "NC2 equal norms",
  nc2_equiangular: "NC2 equal angles", nc2_maxangle: "NC2 largest angle", nc3_self_duality: "NC3 self-duality",
  nc4_ncc_agreement: "NC4 nearest mean", norm_mean: "Mean norm", norm_cv: "Norm variation", abs_cv: "|z| variation",
  sigma_w_trace: "Trace of Σ_W", sigma_w_entry_mean: "Mean of Σ_W", gmm_peak_distance: "Peak distance", gmm_std: "Peak width",
  gmm_log_likelihood: "GMM log-likelihood", lr: "Learning rate", head_lr: "Head learning rate", gamma: "γ",
};
const LINEAR = /accuracy|agreement|log_likelihood|entropy_kl|cos/;

/** The chart of a key, or a plain one for any other metric's name. */
export function chartOf(key) {
  if (CHARTS[key]) return CHARTS[key];
  const title = TITLES[key] || key.replaceAll("_", " ");
  return { title, log: !LINEAR.test(key), lines: [line(title, [key])] };
}

/** Menu of [key, title]: the standing charts, then every other metric of the history. */
export function chartMenu(columns) {
  const covered = new Set(["step", "gamma", ...Object.values(CHARTS).flatMap((chart) => chart.lines.flatMap((one) => one.names))]);
  const others = columns.filter((name) => !covered.has(name)).sort();
  return [...Object.keys(CHARTS), ...others].map((key) => [key, chartOf(key).title]);
}

/** First known value among `names`. */
export function valueOf(row, names) {
  for (const name of names) if (Number.isFinite(row?.[name])) return row[name];
  return null;
}

/** First column among `names` that the history has. */
export function columnOf(columns, names) {
  const name = names.find((candidate) => columns[candidate]);
  return name ? columns[name] : [];
}
