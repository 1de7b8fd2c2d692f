// What the panels are saved as: latents, nodes and curves as pictures (SVG, PNG) and as data (CSV).

import { nodeName } from "../kit/format.js";
import { BINS } from "../charts/histogram.js";
import { classColours } from "../kit/palette.js";
import { formats, SaveMenu, saveTable } from "../controls/savemenu.js";
import { tr } from "../kit/words.js";
import { axisName } from "./chart.js";
import { Curves } from "./curves.js";

const [WIDTH, CELL] = [900, 260];

/** Puts a menu into the heads of the panels of `part` (`buildLayout`); views: {latents, nodes, curves}, plotly() gives Plotly. */
export function addSaves({ viewTools, nodesNote, curvesTools }, { latents, nodes, curves }, plotly) {
  const picture = (name, figure) => (format) => plotly().then((Plotly) => {
    const { data, layout } = figure();
    return Plotly.downloadImage({ data, layout }, { format, width: layout.width, height: layout.height, scale: format === "png" ? 2 : 1, filename: `lpc-lab-${name}` });
  });
  const menu = (name, about, draw, table) => new SaveMenu(about, `lpc-save-${name}`,
    formats((format) => `lpc-save-${name}-${format}`, draw, () => saveTable(csvOf(table()), name))).element;
  const names = () => latents.setupMessage?.info.class_names; // none before there is a run
  viewTools.append(menu("latents", tr("latent space"), (format) => latents.exportImage(format), () => latentTable(latents)));
  nodesNote.after(menu("nodes", tr("nodes"), picture("nodes", () => nodeFigure(nodes, names())), () => nodeTable(nodes, names())));
  curvesTools.append(menu("curves", tr("curves"), picture("curves", () => curveFigure(curves)), () => columnTable(curves.history.columns)));
}

/** Rows of a table as text; texts in quotation marks, and none of them a formula to a spreadsheet. */
export function csvOf([names, ...rows]) {
  const cell = (value) => (typeof value === "string" ? `"${value.replace(/^(?=[=+\-@\t\r])/, "'").replaceAll('"', '""')}"` : Number.isFinite(value) ? String(value) : "");
  return [names, ...rows].map((row) => `${row.map(cell).join(",")}\n`).join("");
}

/** The drawn samples: class, prediction, and where each is in the view. */
export function latentTable({ current, setupMessage, titles }) {
  if (!current) return [["sample"]];
  const { info, labels } = setupMessage;
  const { xy, n, p, predictions } = current.scene;
  const rows = Array.from({ length: n }, (_, i) => [i, info.class_names[labels[i]], info.class_names[predictions[i]], ...xy.subarray(i * p, (i + 1) * p)]);
  return [["sample", "class", "predicted", ...titles.slice(0, p)], ...rows];
}

/** The histograms in large: how many samples of each group lie in each bin of each node. */
export function nodeTable({ message }, names) {
  const rows = bars(message, names).flatMap(({ node, name, counts, edge }) => Array.from(counts, (count, bin) => [nodeName(node), name, edge(bin), edge(bin + 1), count]));
  return [["node", "class", "from", "to", "samples"], ...rows];
}

export function columnTable(columns) {
  const names = Object.keys(columns);
  return [names, ...Array.from({ length: columns[names[0]].length }, (_, i) => names.map((name) => columns[name][i]))];
}

/** One histogram for each node in large and each group of its samples. */
function bars(message, names) {
  if (!message) return [];
  const { info: { large, hist_range: range }, tensors: { hist_class: { data, shape: [, groups] } } } = message;
  const edge = (bin) => range * ((2 * bin) / BINS - 1);
  return large.flatMap((node, slot) => Array.from({ length: groups }, (_, group) => ({
    node, slot, group, groups, edge, name: groups > 1 ? names[group] : "all", counts: data.subarray((slot * groups + group) * BINS, (slot * groups + group + 1) * BINS),
  })));
}

function nodeFigure({ message, theme }, names) {
  const all = bars(message, names);
  const count = message?.info.large.length ?? 1;
  const columns = Math.min(2, count);
  const rows = Math.ceil(count / columns);
  const data = all.map(({ slot, group, groups, name, counts, edge }) => ({
    type: "bar", name, showlegend: groups > 1 && slot === 0, x: Array.from(counts, (_, bin) => edge(bin + 0.5)), y: Array.from(counts), width: edge(1) - edge(0),
    marker: { color: groups > 1 ? classColours(groups, theme.dark)[group] : theme.muted }, xaxis: axisName("x", slot), yaxis: axisName("y", slot),
  }));
  const axes = Object.fromEntries((message?.info.large ?? []).flatMap((node, slot) => [
    [axisName("xaxis", slot), { title: { text: nodeName(node) }, linecolor: theme.line, zeroline: false }], [axisName("yaxis", slot), { gridcolor: theme.grid }],
  ]));
  const ground = {
    width: WIDTH, height: rows * CELL + 80, paper_bgcolor: theme.background, plot_bgcolor: theme.background, font: { family: theme.font, size: 12, color: theme.text }, margin: { l: 60, r: 30, t: 40, b: 50 },
  };
  return { data, layout: { ...ground, barmode: "stack", bargap: 0, grid: { rows, columns, pattern: "independent" }, ...axes } };
}

/** The four charts with their titles, as the panel has them. */
function curveFigure(curves) {
  const { theme } = curves;
  const layout = curves.layout();
  const { slots, text } = curves.lowest();
  for (const slot of slots) layout[axisName("xaxis", slot)].title = { text, standoff: 2, font: { size: 11 } };
  const boxes = curves.picks.map((_, slot) => curves.box(slot));
  const annotations = curves.charts().map(({ title, lines }, slot) => ({
    text: `<b>${title}</b><br>${lines.map(({ label, dash }) => `${dash === "solid" ? "—" : "- -"} ${label}`).join("   ")}`, showarrow: false, xref: "paper", yref: "paper", align: "left",
    xanchor: "left", yanchor: "top", x: (boxes[slot].left + 8) / boxes[slot].w, y: 1 - (boxes[slot].top + 6) / boxes[slot].h, font: { size: 12, color: theme.text },
  }));
  return { data: Curves.prototype.traces.call(curves), layout: { ...layout, annotations, paper_bgcolor: theme.background, plot_bgcolor: theme.background } };
}
