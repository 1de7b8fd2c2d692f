// The nodes panel: every node's histogram in small, up to eight in large; which are large is the learner's choice.

import { fit, line } from "../kit/canvas.js";
import { el, setText, within } from "../kit/dom.js";
import { formatNumber, nodeName } from "../kit/format.js";
import { BINS, drawAxis, drawStack, drawTiny, tallestOf } from "../charts/histogram.js";
import { Linked, flagsOf } from "../kit/linked.js";
import { classColours } from "../kit/palette.js";
import { tr } from "../kit/words.js";

const MAX_LARGE = 8;
const MAX_SMALL = 64;
const EVERY_MS = 95;
const PALE = 0.22; // bars of samples beside the chosen ones

/** How many of the flagged samples each of the `groups` has in each bin of one node: as that node's `hist_class`. */
export function chosenCounts(bins, flags, labels, groups) {
  const counts = new Uint16Array(groups * BINS);
  bins.forEach((bin, i) => flags[i] && (counts[(groups > 1 ? labels[i] : 0) * BINS + bin] += 1));
  return counts;
}

export class Nodes {
  /** parts: {strip, chart, note}; hooks: {clock, sendLarge(), linked: shared with other views} */
  constructor(parts, { clock, sendLarge, linked = new Linked() }) {
    Object.assign(this, parts, { sendLarge, linked, labelled: null, d: 0, large: [], message: null, peaks: null, theme: null, cells: [], key: "" });
    this.canvas = el("canvas", { class: "lpc-canvas", role: "img", "aria-label": tr("Histograms of the nodes") });
    this.labels = el("div", { class: "lpc-node-labels" });
    this.chart.append(this.canvas, this.labels);
    this.drawing = clock.add("nodes", EVERY_MS, () => this.draw(), this.chart);
    linked.hear(() => this.drawing.touch());
    this.chart.addEventListener("pointermove", (event) => linked.glance(this.under(event)));
    this.chart.addEventListener("pointerleave", () => linked.glance(null));
    this.chart.addEventListener("click", (event) => this.bins && linked.choose(this.under(event)));
  }

  /** In which bar of the large histograms each sample is, where the frame says. */
  get bins() {
    return this.message?.tensors.bins ?? null;
  }

  /** The samples of the bar under the pointer, or null. */
  under(event) {
    const [px, py] = within(this.chart, event);
    const slot = this.bins ? this.message.info.large.findIndex((_, i) => holds(this.cellBox(i), px, py)) : -1;
    if (slot < 0) return null;
    const { x, w } = this.cellBox(slot);
    const [own, bar] = [this.binsOf(slot), Math.min(BINS - 1, Math.floor((BINS * (px - x)) / w))];
    const key = `${this.message.info.frame}|${slot}|${bar}`;
    if (key !== this.glancedAt) Object.assign(this, { glancedAt: key, glanced: flagsOf(own.length, [...own.keys()].filter((i) => own[i] === bar)) });
    return this.glanced;
  }

  binsOf(slot) {
    const { data, shape: [, n] } = this.bins;
    return data.subarray(slot * n, (slot + 1) * n);
  }

  setup({ info, tensors }) {
    this.labelled = tensors.labels?.data ?? null;
    this.chart.parentElement?.classList.toggle("lpc-many-nodes", info.d > 4);
    const other = info.d !== this.d;
    Object.assign(this, { d: info.d, message: null, peaks: null });
    if (other) this.large = this.usual();
    this.buildStrip();
    this.drawing.touch();
  }

  /** The nodes that are large at first. */
  usual() {
    return Array.from({ length: Math.min(this.d, MAX_LARGE) }, (_, i) => i);
  }

  /** These in large, as far as there are such; never none. */
  show(nodes) {
    const large = [...new Set(nodes)].filter((node) => node < this.d).sort((a, b) => a - b).slice(0, MAX_LARGE);
    if (!large.length) return;
    this.large = large;
    this.mark();
    this.sendLarge();
  }

  buildStrip() {
    const shown = this.d > MAX_LARGE ? Math.min(this.d, MAX_SMALL) : 0;
    this.cells = Array.from({ length: shown }, (_, node) => this.cell(node));
    this.strip.hidden = shown === 0;
    this.strip.replaceChildren(...this.cells);
    setText(this.note, this.d > MAX_SMALL ? tr("the first {n} of {all} nodes", { n: MAX_SMALL, all: this.d }) : "");
    this.mark();
  }

  cell(node) {
    return el("button", { type: "button", class: "lpc-node", title: tr("Show {node} in large", { node: nodeName(node) }), testid: `lpc-node-cell-${node}`, on: { click: () => this.toggle(node) } },
      el("canvas", { "aria-hidden": "true" }), el("span", { text: nodeName(node) }));
  }

  /** Into the large set, or out of it; the oldest choice makes room. */
  toggle(node) {
    this.show(this.large.includes(node) ? this.large.filter((one) => one !== node) : [...this.large, node].slice(-MAX_LARGE));
  }

  mark() {
    this.cells.forEach((cell, node) => cell.setAttribute("aria-pressed", String(this.large.includes(node))));
  }

  push(message) {
    this.message = message;
    this.drawing.touch();
  }

  /** The numbers beside the names: those of one moment. */
  tell({ tensors }) {
    this.peaks = tensors.node_peak_distance?.data ?? null;
    this.drawing.touch();
  }

  restyle(theme) {
    this.theme = theme;
    this.drawing.touch();
  }

  draw() {
    if (!this.theme || !this.d || !this.chart.clientWidth) return false;
    const shown = this.message?.info.large ?? this.large;
    this.arrange(shown.length || 1);
    this.drawLarge(shown);
    this.drawLabels(shown);
    this.drawStrip();
    return true;
  }

  /** Columns and rows, and the height they need. */
  arrange(count) {
    const wide = this.chart.clientWidth >= 400;
    this.columns = count <= 2 ? count : count <= 4 ? 2 : count <= 6 && wide ? 3 : wide ? 4 : 2;
    this.rows = Math.ceil(count / this.columns);
    const height = `${this.rows * (this.rows === 1 ? 156 : 108)}px`;
    if (this.chart.style.height !== height) this.chart.style.height = height;
  }

  /** The plot area of a cell, below its label and above its tick labels. */
  cellBox(slot) {
    const [column, row] = [slot % this.columns, Math.floor(slot / this.columns)];
    const [cw, ch, gap] = [this.chart.clientWidth / this.columns, this.chart.clientHeight / this.rows, 7];
    return { x: column * cw + gap, y: row * ch + 24, w: cw - 2 * gap, h: ch - 46 };
  }

  drawLarge(shown) {
    const ctx = fit(this.canvas, this.chart.clientWidth, this.chart.clientHeight);
    const tensor = this.message?.tensors.hist_class;
    const groups = tensor?.shape[1] ?? 1;
    const colours = groups > 1 ? classColours(groups, this.theme.dark) : [this.theme.muted];
    const range = this.message?.info.hist_range ?? 1;
    shown.forEach((_, slot) => {
      const box = this.cellBox(slot);
      const counts = tensor?.data.subarray(slot * groups * BINS, (slot + 1) * groups * BINS);
      if (counts?.length) this.drawBars(ctx, box, counts, colours, slot);
      drawAxis(ctx, box, range, this.theme);
    });
  }

  /** All bars; with flagged samples theirs over pale ones, and a pointer where the sample is that is pointed at. */
  drawBars(ctx, box, counts, colours, slot) {
    const { linked: { flags, pointed }, bins, theme, labelled } = this;
    const ink = colours.length > 1 ? theme.panel : null;
    const own = bins && (flags || pointed >= 0) ? this.binsOf(slot) : null;
    ctx.globalAlpha = own && flags ? PALE : 1;
    drawStack(ctx, box, counts, colours, ink);
    ctx.globalAlpha = 1;
    if (own && flags) drawStack(ctx, box, chosenCounts(own, flags, labelled, colours.length), colours, ink, tallestOf(counts));
    if (own && pointed >= 0) drawPointer(ctx, box.x + ((own[pointed] + 0.5) * box.w) / BINS, box, theme);
  }

  drawLabels(shown) {
    const key = `${shown}|${this.columns}|${this.chart.clientWidth}`;
    if (key !== this.key) {
      this.key = key;
      this.labels.replaceChildren(...shown.map((node, slot) => this.cellLabel(node, slot)));
    }
    const roomy = this.cellBox(0).w >= 125;
    shown.forEach((node, slot) => {
      const value = this.peaks?.[node];
      setText(this.labels.children[slot].lastChild, Number.isFinite(value) ? roomy ? tr("peaks {n} σ apart", { n: formatNumber(value, 2) }) : tr("{n} σ apart", { n: formatNumber(value, 2) }) : "");
    });
  }

  cellLabel(node, slot) {
    const { x, y, w } = this.cellBox(slot);
    const label = el("div", { class: "lpc-node-label" }, el("strong", { text: nodeName(node) }), el("span"));
    Object.assign(label.style, { left: `${x}px`, width: `${w}px`, top: `${y - 22}px` });
    return label;
  }

  drawStrip() {
    const hist = this.message?.tensors.hist;
    if (!hist || !this.cells.length) return;
    const { clientWidth: w, clientHeight: h } = this.cells[0].firstChild;
    this.cells.forEach((cell, node) => drawTiny(fit(cell.firstChild, w, h), w, h, hist.data.subarray(node * BINS, (node + 1) * BINS), this.theme.text));
  }
}

const holds = ({ x, y, w, h }, px, py) => px >= x && px < x + w && py >= y && py <= y + h;

/** A triangle that hangs from the top of a histogram, on a thin line. */
function drawPointer(ctx, x, { y, h }, theme) {
  ctx.strokeStyle = ctx.fillStyle = theme.text;
  ctx.lineWidth = 1.5;
  line(ctx, x, y, x, y + h);
  ctx.beginPath();
  ctx.moveTo(x - 4.5, y);
  ctx.lineTo(x + 4.5, y);
  ctx.lineTo(x, y + 7);
  ctx.fill();
}
