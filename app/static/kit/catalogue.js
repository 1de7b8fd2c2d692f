// What each curve is called, how its axis is scaled and where its numbers come from.

export const ACCURACY_TRAIN = ["train_accuracy"];
export const ACCURACY_TEST = ["test_accuracy"];

const line = (label, names, style = {}) => ({ label, names, ...style });

/** Charts by key: {title, log, range, lines: [{label, names (first known wins), dash}]}. */
export const CHARTS = {
  radius: { title: "Radius R", log: true, lines: [
    line("measured", ["radius", "norm_mean"]), line("predicted", ["predicted_radius"], { dash: "dash" })] },
  nc1: { title: "NC1 and class spread", log: true, lines: [
    line("NC1", ["nc1_pinv"]), line("spread", ["within_class_spread"], { dash: "dot" })] },
  separation: { title: "Separation ratio 𝓡", log: true, lines: [line("𝓡", ["separation_ratio"])] },
  accuracy: { title: "Accuracy", log: false, range: [0, 1.02], percent: true, lines: [
    line("train", ACCURACY_TRAIN), line("test", ACCURACY_TEST, { dash: "dot" })] },
  loss: { title: "Cross-entropy and penalty", log: true, lines: [
    line("cross-entropy", ["ce"]), line("penalty", ["penalty"], { dash: "dot" })] },
};

export const DEFAULT_CHARTS = ["radius", "nc1", "separation", "accuracy"];

// The other metrics of lpc_core/metrics/_info.py.
const TITLES = {
  loss: "Loss", norm_cv: "Radius variation", radius_error: "Radius error", point_error: "Collapse point error",
  sigma_w_trace: "Within-class scatter", weight_norm: "Head norm", weight_abs_cv: "Head weight variation",
  abs_cv: "Node size variation", node_peak_distance_mean: "Peak distance, mean node",
  node_peak_distance_min: "Peak distance, worst node", lr: "Learning rate",
};
const LINEAR = /accuracy|weight_abs_cv|^abs_cv/;

/** The chart of a key, or a plain one for any other metric's name. */
export function chartOf(key) {
  if (CHARTS[key]) return CHARTS[key];
  const title = TITLES[key] || key.replaceAll("_", " ");
  return { title, log: !LINEAR.test(key), lines: [line(title, [key])] };
}

/** Menu of [key, title]: the standing charts, then every other metric of the history. */
export function chartMenu(columns) {
  const covered = new Set(["step", "gamma", "run", ...Object.values(CHARTS).flatMap((chart) => chart.lines.flatMap((one) => one.names))]);
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
