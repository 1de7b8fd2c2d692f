// A paused picture in Plotly's hands: one trace per class for lasso and export, with the theory's marks for a file.

import { formatCount, formatGamma } from "../kit/format.js";
import { shapeOf } from "../kit/palette.js";
import { tr } from "../kit/words.js";

/** One marker trace per class; wrongly classified samples are open markers; those without a flag are pale. SVG: WebGL scatter would need `unsafe-eval`. */
export function pointTraces(scene, setup, colours, focus, theme, flags = null) {
  const { n, p, xy, predictions } = scene;
  const samples = Map.groupBy(Array(n).keys(), (i) => setup.labels[i]);
  return setup.info.class_names.map((name, c) => {
    const own = samples.get(c) ?? [];
    const symbol = own.map((i) => (predictions[i] === c ? shapeOf(c) : `${shapeOf(c)}-open`));
    return {
      type: "scatter", mode: "markers", name, x: own.map((i) => xy[i * p]), y: own.map((i) => xy[i * p + 1]), customdata: own,
      ...(flags && { selectedpoints: own.flatMap((i, place) => (flags[i] ? [place] : [])), unselected: { marker: { opacity: 0.1 } } }),
      marker: { color: colours[c], symbol, size: 6.6, opacity: focus.size && !focus.has(c) ? 0.1 : 0.9, line: { width: 0.6, color: theme.panel } },
    };
  });
}

/** A complete figure for a picture file: points, shell, predicted radius, collapse points and a caption. */
export function exportFigure(axes, scene, setup, colours, theme, whole) {
  const layout = axes.layout();
  const half = 1.12 * reachOf(scene, whole); // the points fill the picture, wherever the page looks
  for (const axis of [layout.xaxis, layout.yaxis]) axis.range = [-half, half];
  const traces = pointTraces(scene, setup, colours, new Set(), theme);
  if (scene.collapse_points) traces.push(crosses(scene, colours, theme));
  return {
    data: traces,
    layout: {
      ...layout, width: 900, height: 900, showlegend: true, legend: { itemsizing: "constant" },
      paper_bgcolor: theme.background, plot_bgcolor: theme.background, margin: { l: 60, r: 20, t: 50, b: 60 },
      shapes: whole ? [ring(scene.norm_mean, theme.text, "solid"), ring(scene.predicted_radius, theme.muted, "dash")].filter(Boolean) : [],
      title: { text: captionOf(scene, setup), font: { size: 15 } },
    },
  };
}

/** What is drawn, of which data, when: a picture travels without its page. */
export function captionOf({ info, norm_mean: radius }, { info: { title } }) {
  const view = info.projection === "pca" ? ", PCA" : "";
  return `${title ? `${tr(title)}: ` : ""}γ = ${formatGamma(info.gamma)}, ${tr("step {n}", { n: formatCount(info.step) })}, R = ${formatGamma(radius)}${view}`;
}

/** How far the first two coordinates go, those of predicted points too. */
function reachOf({ xy, p, norm_mean: radius, collapse_points: points }, whole) {
  return [...xy, ...points ?? []].reduce((most, value, i) => (i % p < 2 && Math.abs(value) > most ? Math.abs(value) : most), whole ? radius : 0) || 1;
}

function ring(radius, color, dash) {
  if (!(radius > 0)) return null;
  return { type: "circle", x0: -radius, x1: radius, y0: -radius, y1: radius, line: { color, dash, width: 1.5 } };
}

function crosses({ collapse_points: points, p }, colours, theme) {
  const at = (offset) => colours.map((_, c) => points[c * p + offset]);
  return {
    type: "scatter", mode: "markers", name: tr("predicted"), x: at(0), y: at(1),
    marker: { symbol: "cross", size: 13, color: colours, line: { color: theme.text, width: 1.2 } },
  };
}
