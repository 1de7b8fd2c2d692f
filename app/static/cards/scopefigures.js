// The microscope's two figures: the cloud about its class mean under a zoom, and all distances to that mean.

import { formatCount, formatDecade, nodeName, power } from "../kit/format.js";
import { shapeOf } from "../kit/palette.js";
import { tr } from "../kit/words.js";

export const GRID_PX = 5; // from this size on, single float32 steps are drawn
const VIEW_PX = 330; // about what the view measures on a screen
const BINS_PER_DECADE = 8;

/** The cloud of `about` in nodes [a, b], `half` to each side; names of the classes. */
export function cloudFigure(about, nodes, half, names) {
  const exponent = half < 0.05 || half >= 1000 ? Math.floor(Math.log10(half)) : 0;
  const unit = 10 ** exponent;
  const seen = about.within(nodes, half);
  const traces = [];
  if (stepPx(about.step, half) >= GRID_PX) traces.push(...grid(about, nodes, half, unit));
  for (const [c, points] of [...seen].sort(([p], [q]) => (p === about.c) - (q === about.c) || p - q)) traces.push(cloud(points, c, c === about.c, names, unit));
  if (about.predicted) traces.push(...predicted(about, nodes, half, unit));
  traces.push({ type: "scatter", mode: "markers", x: [0], y: [0], name: tr("class mean"), hovertemplate: `${tr("the class mean")}<extra></extra>`,
    marker: { symbol: "cross-thin", size: 15, line: { width: 2, color: "var(--text)" } } });
  const title = (j) => `${nodeName(j)} − ${tr("mean")}${exponent ? `, × ${formatDecade(exponent)}` : ""}`;
  const side = { range: [-half / unit, half / unit], constrain: "domain", showgrid: false, nticks: 5 };
  return { data: traces, layout: {
    xaxis: { ...side, title: { text: title(nodes[0]) } }, yaxis: { ...side, title: { text: title(nodes[1]) }, scaleanchor: "x" },
    dragmode: false, legend: { itemsizing: "constant" }, uirevision: null,
  } };
}

/** "class A", "class 7", but "cat". */
export const called = (name) => (/^(\d+|[A-Za-z])$/.test(name) ? tr("class {name}", { name }) : name);

/** How large a `step` is on the screen, about. */
export const stepPx = (step, half) => (step / (2 * half)) * VIEW_PX;

function cloud(points, c, own, names, unit) {
  const most = Math.max(...points.map(({ count }) => count));
  return {
    type: "scatter", mode: "markers", name: names[c] ?? String(c), legendrank: own ? 1 : 10 + c, x: points.map(({ x }) => x / unit), y: points.map(({ y }) => y / unit),
    customdata: points.map(({ i, count }) => (count > 1 ? tr("{n} samples on this very point", { n: formatCount(count) }) : tr("sample {i}", { i }))),
    hovertemplate: "%{customdata}<br>%{x:.3f}, %{y:.3f}<extra>%{fullData.name}</extra>",
    marker: {
      symbol: shapeOf(c), color: `var(--class-${c}-of-${names.length})`, opacity: own ? 0.75 : 0.5, line: { width: 0.5, color: "var(--panel)" },
      size: own ? points.map(({ count }) => 6 + (most > 1 ? 12 * Math.sqrt((count - 1) / most) : 0)) : 5,
    },
  };
}

/** The numbers that float32 has here, as lines, and one step of them as a frame with its name. */
function grid(about, [a, b], half, unit) {
  const [x, y] = [[], []];
  const end = half / unit;
  for (const [j, along] of [[a, x], [b, y]]) {
    const step = about.steps[j];
    if (stepPx(step, half) < GRID_PX) continue; // a node with a smaller mean has finer steps
    const first = Math.ceil((about.mean[j] - half) / step);
    for (let k = first; k * step <= about.mean[j] + half; k++) along.push((k * step - about.mean[j]) / unit);
  }
  const lines = (values, flip) => ({
    type: "scatter", mode: "lines", hoverinfo: "skip", line: { color: "var(--line)", width: 1, dash: "dot" }, showlegend: !flip, name: tr("one float32 step"), legendgroup: "step",
    [flip ? "y" : "x"]: values.flatMap((value) => [value, value, null]), [flip ? "x" : "y"]: values.flatMap(() => [-end, end, null]),
  });
  return [lines(x, false), lines(y, true)];
}

function predicted(about, [a, b], half, unit) {
  const [x, y] = [about.predicted[a], about.predicted[b]];
  if (Math.abs(x) > half || Math.abs(y) > half) return [];
  return [{ type: "scatter", mode: "markers", x: [x / unit], y: [y / unit], name: tr("predicted z*"), hovertemplate: `${tr("where theory puts the class")}<extra></extra>`,
    marker: { symbol: "x-thin", size: 12, line: { width: 2, color: "var(--inward)" } } }];
}

/** Distances of the class's samples to their mean, over [low, high]. */
export function distanceFigure(about, half, [low, high], names) {
  const [from, to] = [Math.floor(Math.log10(low) * BINS_PER_DECADE), Math.ceil(Math.log10(high) * BINS_PER_DECADE)];
  const counts = new Array(to - from + 1).fill(0);
  for (const distance of about.distances) counts[distance > 0 ? Math.min(to - from, Math.max(0, Math.floor(Math.log10(distance) * BINS_PER_DECADE) - from)) : 0] += 1;
  const edges = counts.map((_, k) => 10 ** ((from + k) / BINS_PER_DECADE));
  const top = Math.max(1, ...counts) * 1.08;
  const colour = (alpha) => `var(--class-${about.c}-of-${names.length}${alpha})`;
  const mark = (name, x, color, dash) => ({ type: "scatter", mode: "lines", x: [x, x], y: [0, top], name, line: { color, dash, width: 1.6 }, hovertemplate: `${name}: ${power(x, 3)}<extra></extra>` });
  return { data: [
    { type: "scatter", mode: "lines", x: edges, y: counts, name: called(names[about.c]), line: { shape: "hv", width: 1.4, color: colour("") }, fill: "tozeroy", fillcolor: colour("-a30"), hovertemplate: `${tr("%{y} samples from %{x:.2g}")}<extra></extra>` },
    mark(tr("one float32 step"), about.step, "var(--text)", "dot"),
    mark(tr("edge of the view"), half, "var(--out)", "solid"),
    ...(Number.isFinite(about.nearestOther) ? [mark(tr("nearest other class"), about.nearestOther, "var(--inward)", "dash")] : []),
  ], layout: {
    xaxis: { type: "log", range: [Math.log10(low), Math.log10(high)], title: { text: tr("distance to the class mean ‖z − μ‖") } },
    yaxis: { range: [0, top], title: { text: tr("samples") }, nticks: 5 }, dragmode: false, uirevision: null,
  } };
}
