// DOM helpers: elements whose text always goes through textContent, never through markup.

import { tr } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

/** el("button", {class, text, testid, on: {click}, ...attributes}, ...children) */
export function el(tag, { text, testid, on = {}, ...attributes } = {}, ...children) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (testid) node.dataset.testid = testid;
  for (const [event, handler] of Object.entries(on)) node.addEventListener(event, handler);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter(Boolean));
  return node;
}

/** A button with words; `more` are further attributes. */
export const button = (text, testid, click, more = {}) => el("button", { type: "button", class: "lpc-button", text, testid, on: { click }, ...more });

/** A 24×24 icon from one path, drawn in the text's colour. */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

/** Two or more buttons of which one is pressed; `select(value)` presses without calling back. */
export function segmented(label, options, onPick, testid) {
  const buttons = new Map(options.map(({ value, text, title, testid: id }) => [value, el("button", {
    type: "button", text, title, testid: id, "aria-pressed": "false", "data-text": text ?? "", on: { click: () => onPick(value) },
  })]));
  const group = el("div", { class: "lpc-segmented", role: "group", "aria-label": label, testid }, ...buttons.values());
  group.select = (value) => buttons.forEach((b, v) => b.setAttribute("aria-pressed", String(v === value)));
  return group;
}

/** A labelled drop-down of [value, text] pairs. */
export function select(label, pairs, value, onChange, options = {}) {
  const node = el("select", { "aria-label": label, ...options, on: { change: () => onChange(node.value) } }, ...pairs.map(([key, text]) => el("option", { value: key, text })));
  node.value = value;
  return node;
}

/** Puts other children into `host`; the focus stays at its place among their buttons and menus. */
export function renew(host, ...children) {
  const controls = () => [...host.querySelectorAll("button, select")];
  const at = controls().indexOf(document.activeElement);
  host.replaceChildren(...children);
  controls()[at]?.focus({ preventScroll: true });
}

/** Sets text only when it changes, which spares a layout. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Where a pointer is in a node, in pixels: [x, y]. */
export function within(node, { clientX, clientY }) {
  const { left, top } = node.getBoundingClientRect();
  return [clientX - left, clientY - top];
}

/** Whether the reader asks for less motion. */
export const REDUCED = window.matchMedia("(prefers-reduced-motion: reduce)");

const styled = new Map();

/** Links a style sheet, named by room and file, once per document; resolves when it is in force. */
export function loadStyles(name) {
  if (!styled.has(name)) {
    styled.set(name, new Promise((resolve) => {
      const { href } = new URL(`../${name}`, import.meta.url);
      if ([...document.styleSheets].some((sheet) => sheet.href === href)) return resolve(); // the page brought it
      const link = el("link", { rel: "stylesheet", href });
      link.onload = link.onerror = () => resolve();
      document.head.append(link);
    }));
  }
  return styled.get(name);
}

let plotly = null; // on its way, or there

/** Loads plotly.js once; resolves to window.Plotly. */
export function loadPlotly(url) {
  plotly ??= new Promise((resolve, reject) => {
    if (window.Plotly?.react) return resolve(window.Plotly);
    const script = el("script", { src: url, async: true });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      plotly = null;
      script.remove();
      reject(new Error(tr("the charts could not be loaded")));
    };
    document.head.append(script);
  });
  return plotly;
}
