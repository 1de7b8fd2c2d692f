// The words of every metric and chart: what it is called, how its axis is scaled, what it means and where its numbers come from.

export const ACCURACY_TRAIN = ["train_accuracy"];
export const ACCURACY_TEST = ["test_accuracy"];

/** Metrics by name (lpc_core/metrics): {title, short: in a table, label: beside another line, scale: log where none is given}. */
const METRICS = {
  radius: { title: "Radius R", short: "radius R", label: "measured" }, norm_mean: { title: "Radius R", short: "radius R", label: "measured" },
  predicted_radius: { title: "Predicted radius", label: "predicted" },
  norm_cv: { title: "Radius variation" }, radius_error: { title: "Radius error" }, point_error: { title: "Collapse point error" },
  nc1_pinv: { title: "NC1" }, within_class_spread: { title: "Spread within a class", label: "spread" }, sigma_w_trace: { title: "Within-class scatter" },
  separation_ratio: { title: "Separation ratio 𝓡", short: "𝓡" },
  train_accuracy: { title: "Train accuracy", short: "train", scale: "percent" }, test_accuracy: { title: "Test accuracy", short: "test", scale: "percent" },
  loss: { title: "Loss" }, ce: { title: "Cross-entropy", label: "cross-entropy" }, penalty: { title: "Penalty", label: "penalty" },
  weight_norm: { title: "Head norm" }, weight_abs_cv: { title: "Head weight variation", short: "head weight variation", scale: "linear" },
  abs_cv: { title: "Node size variation", scale: "linear" }, node_peak_distance_mean: { title: "Peak distance, mean node", short: "peak distance" },
  node_peak_distance_min: { title: "Peak distance, worst node" }, lr: { title: "Learning rate" }, gamma: { title: "γ" },
};

/** {title, short, label, scale: "log", "linear" or "percent"} of any metric's name. */
export function metricOf(name) {
  const known = METRICS[name] ?? { title: name.replaceAll("_", " ") };
  return { short: known.title, label: known.short ?? known.title, scale: name.includes("accuracy") ? "linear" : "log", ...known };
}

const line = (names, dash) => ({ label: metricOf(names[0]).label, names, ...(dash && { dash }) });

/** Charts by key: {title, about, theory: whether it shows a prediction, log, range, lines: [{label, names (first known wins), dash}]}. */
export const CHARTS = {
  radius: { title: "Radius R", log: true, theory: true, lines: [line(["radius", "norm_mean"]), line(["predicted_radius"], "dash")],
    about: "Mean length ‖z‖ of the latents, beside the radius at which cross-entropy and penalty balance for the present classifier." },
  nc1: { title: "NC1 and class spread", log: true, lines: [line(["nc1_pinv"]), line(["within_class_spread"], "dot")],
    about: "NC1 is tr(Σ_W Σ_B⁺)/K: the scatter within the K classes measured against the scatter between them; towards 0 the classes become points. "
      + "The spread is √(tr Σ_W) over the mean length of z: the size of a class's cloud as a share of its distance from the origin." },
  separation: { title: "Separation ratio 𝓡", log: true, lines: [line(["separation_ratio"])],
    about: "For each sample, the distance to the nearest other class centre divided by the distance to its own, averaged over samples "
      + "(classes by prediction). It grows without bound as classes collapse; in the paper it goes along with robustness." },
  accuracy: { title: "Accuracy", log: false, range: [0, 1.02], percent: true, lines: [line(ACCURACY_TRAIN), line(ACCURACY_TEST, "dot")],
    about: "Share of samples classified right, on training and on held-out data. The paper's collapse sets in once training accuracy is about 99.9 %." },
  loss: { title: "Cross-entropy and penalty", log: true, lines: [line(["ce"]), line(["penalty"], "dot")],
    about: "The two parts of the loss: how unsure the network is of the right class, and what the latents pay for their length, γ included. "
      + "If γ outruns the classifier, cross-entropy rises towards log K, a blind guess." },
};

export const DEFAULT_CHARTS = ["radius", "nc1", "separation", "accuracy"];

/** The chart of a key, or a plain one for any other metric's name. */
export function chartOf(key) {
  if (CHARTS[key]) return CHARTS[key];
  const { title, scale } = metricOf(key);
  return { title, log: scale === "log", lines: [{ label: title, names: [key] }] };
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
