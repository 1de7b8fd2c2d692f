// Figures in the page's colours: app/charts/_ink.py names them by meaning, here they become the theme's.

import { classColours } from "../kit/palette.js";
import { rgb } from "../kit/theme.js";

const INK = /^var\(--([a-z]+)(?:-(\d+)-of-(\d+))?(?:-a(\d+))?\)$/;

/** A copy of a figure's JSON with every named colour replaced. */
export function coloured(value, theme) {
  if (typeof value === "string") return value.startsWith("var(--") ? colourOf(value, theme) : value;
  if (Array.isArray(value)) return typeof value[0] === "number" && typeof value[1] !== "string" ? value : value.map((one) => coloured(one, theme));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, coloured(one, theme)]));
}

/** The colour of an ink: `var(--muted)`, `var(--class-3-of-10)`, `var(--out-a20)` (20 % opaque). */
export function colourOf(ink, theme) {
  const [, name, index, count, alpha] = INK.exec(ink) ?? [];
  const colour = name === "class" ? classColours(Number(count), theme.dark)[Number(index)] : named(theme)[name];
  if (!colour) throw new Error(`expected a colour of app/charts/_ink.py, got ${ink}`);
  return alpha === undefined ? colour : `rgba(${rgb(colour).join(",")},${Number(alpha) / 100})`;
}

function named(theme) {
  return { ...theme, ...theme.force, amber: theme.dark ? "#f5b335" : "#b45309", orange: theme.dark ? "#f2793a" : "#c24e00", violet: theme.dark ? "#b79cf5" : "#6b3fa0" };
}

/** The page's look of a chart, which the figure's own layout `given` overrides; `ticks` by axis where they are known. */
export function layoutOf(given, theme, width, height, ticks = {}) {
  const names = ["xaxis", "yaxis", ...Object.keys(given)].filter((key) => /^[xy]axis\d*$/.test(key));
  const axes = Object.fromEntries(names.map((name) => [name, { ...axis(theme), ...ticks[name] }]));
  const base = {
    width, height, margin: { l: 44, r: 16, t: 8, b: 40 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: theme.font, size: 12, color: theme.muted }, hovermode: "closest", dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    hoverlabel: { font: { family: theme.font, size: 12, color: theme.text }, bgcolor: theme.background, bordercolor: theme.line, align: "left" },
    legend: { orientation: "h", x: 0, xanchor: "left", y: 1, yref: "container", yanchor: "top", font: { size: 12, color: theme.text }, bgcolor: "rgba(0,0,0,0)" },
    uirevision: "kept", ...axes,
  };
  return merged(base, coloured(given, theme));
}

function axis(theme) {
  return {
    gridcolor: theme.grid, linecolor: theme.line, tickcolor: theme.line, zeroline: false, showline: true, exponentformat: "power", nticks: 7,
    automargin: true, title: { standoff: 8, font: { size: 12, color: theme.muted } }, tickfont: { size: 12 },
  };
}

/** `over` laid on `under`: objects by their keys, everything else as a whole. */
function merged(under, over) {
  const plain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const out = { ...under };
  for (const [key, value] of Object.entries(over)) out[key] = plain(value) && plain(under[key]) ? merged(under[key], value) : value;
  return out;
}
