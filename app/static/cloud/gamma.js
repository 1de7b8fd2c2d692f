// The γ slider of a point cloud: where would this head's classes fall? Answers from a grid computed beforehand.

import { button, el, setText } from "../kit/dom.js";
import { StopSlider } from "../controls/stopslider.js";
import { formatDecade, formatGamma, formatNumber, formatPercent } from "../kit/format.js";
import { tr } from "../kit/words.js";

const FITS = 0.5; // class means nearer to their points than this share of the radius are worth starting from
const BETWEEN = 240; // stops of the slider, however few values of γ the grid has

export class CloudGamma {
  /** hooks: {moved(), info(key)} */
  constructor({ moved, info }) {
    Object.assign(this, { moved, gamma: 1, file: null });
    this.slider = new StopSlider({
      label: tr("γ of the predicted points"), testid: "lpc-cloud-gamma", onMove: (stop) => this.jump(10 ** (this.low + (stop / BETWEEN) * (this.high - this.low))),
      describe: () => `γ = ${formatGamma(this.gamma)}`,
    });
    this.value = el("output", { class: "lpc-gamma-value", testid: "lpc-cloud-gamma-value", text: "–" });
    this.sentence = el("p", { class: "lpc-hint lpc-cloud-fit", "aria-live": "polite", testid: "lpc-cloud-fit" });
    this.back = button(tr("best fit"), "lpc-cloud-best", () => this.jump(this.file.theory.gammas[this.file.theory.best]),
      { class: "lpc-button lpc-cloud-best", title: tr("The γ whose predicted points lie nearest to the class means") });
    this.trained = button(tr("as trained"), "lpc-cloud-trained", () => this.jump(this.file.theory.known),
      { class: "lpc-button lpc-cloud-best", title: tr("The γ at the end of training, as the file says") });
    const head = el("div", { class: "lpc-gamma-head" }, el("span", { class: "lpc-gamma-name", text: "γ" }), this.value, info("cloud-gamma"));
    this.row = el("div", { class: "lpc-cloud-gamma" }, head, this.slider.element,
      el("div", { class: "lpc-cloud-jumps" }, this.trained, this.back));
    this.element = el("div", { class: "lpc-cloud-theory" }, this.row, this.sentence);
  }

  open(file) {
    this.file = file;
    const { gammas, errors, best, critical, known, note } = file.theory ?? { gammas: [], note: tr("The predicted points are being computed…") };
    this.row.hidden = !gammas.length;
    if (!gammas.length) return setText(this.sentence, note);
    [this.low, this.high] = [Math.log10(gammas[0]), Math.log10(gammas[gammas.length - 1])];
    const ticks = [];
    for (let e = Math.ceil(this.low - 1e-9); e <= this.high + 1e-9; e += 2) ticks.push({ share: this.shareOf(10 ** e), text: formatDecade(e), minor: e % 4 !== 0 });
    this.slider.setStops(Array.from({ length: BETWEEN + 1 }, (_, i) => i / BETWEEN), ticks);
    const fitting = best !== null && errors[best] < FITS ? gammas[best] : null;
    const marks = [[fitting, "lpc-cloud-mark-best", tr("nearest to the class means")], [known, "lpc-cloud-mark-known", tr("γ at the end of training")],
      [critical, "lpc-cloud-mark-critical", tr("from here on a class's own point is not surely its own")]].filter(([gamma]) => Number.isFinite(gamma) && gamma > 0);
    this.slider.setMarks(marks.map(([gamma, className, title]) => ({ share: this.shareOf(gamma), className, title: `${title}: γ = ${formatGamma(gamma)}` })));
    this.back.hidden = !fitting;
    this.trained.hidden = !known;
    this.first = known || (fitting ?? gammas[likeliest(file)] ?? 1);
    this.jump(this.first);
  }

  /** Whether the axes drawn have a place for predicted points. */
  allow(possible) {
    const idle = Boolean(this.file.G) && !possible;
    this.element.classList.toggle("lpc-cloud-idle", idle);
    this.slider.element.setAttribute("aria-disabled", String(idle));
    this.idle = idle;
    if (this.file.G) this.show();
  }

  shareOf(gamma) {
    return Math.max(0, Math.min(1, (Math.log10(gamma) - this.low) / (this.high - this.low)));
  }

  /** Exactly there, though the slider's stops may lie beside it. */
  jump(gamma) {
    this.gamma = gamma;
    this.show();
    this.moved();
  }

  /** Between which two values of the grid: [lower, upper, share of the upper, by logarithms]. */
  between() {
    const { gammas } = this.file.theory;
    const upper = gammas.findIndex((gamma) => gamma >= this.gamma * (1 - 1e-9));
    if (upper <= 0) return upper < 0 ? [gammas.length - 1, gammas.length - 1, 0] : [0, 0, 0];
    const [a, b] = [Math.log(gammas[upper - 1]), Math.log(gammas[upper])];
    return [upper - 1, upper, Math.min(1, (Math.log(this.gamma) - a) / (b - a))];
  }

  /** Columns of the grid, each (G, K), at the slider's γ: each (K). */
  columns(grids, K) {
    const [a, b, share] = this.between();
    return grids.map((values) => Float64Array.from({ length: K }, (_, c) => mix(values[a * K + c], values[b * K + c], share)));
  }

  show() {
    const { info, theory, d } = this.file;
    setText(this.value, formatGamma(this.gamma));
    this.slider.show(Math.round(BETWEEN * this.shareOf(this.gamma)));
    if (this.idle) return setText(this.sentence, tr("t-SNE and UMAP have no place for predicted points; choose nodes or PCA to see them."));
    const [a, b, share] = this.between();
    const value = (name) => mix(theory[name][a] ?? NaN, theory[name][b] ?? NaN, share);
    const radii = { radius: formatNumber(value("radii")), measured: formatNumber(info.norm_mean) };
    const parts = [info.norm_mean === null ? tr("mean predicted ‖z*‖ {radius}", radii) : tr("mean predicted ‖z*‖ {radius}, measured ‖z‖ {measured}", radii)];
    const error = value("errors");
    const distance = error < 10 ? formatPercent(error) : tr("{n} radii", { n: formatNumber(error) });
    if (Number.isFinite(error)) parts.push(tr("class means {distance} from their predicted points", { distance }));
    parts.push(tr("in the authors' code this γ is {gamma}", { gamma: formatGamma(d * this.gamma) }));
    setText(this.sentence, `${parts.join(" · ")}${theory.note ? ` · ${theory.note}` : ""}`);
  }
}

/** The γ at which the predicted radius is nearest to the measured one. */
function likeliest({ info, theory }) {
  if (info.norm_mean === null || !(info.norm_mean > 0)) return -1;
  const miss = theory.radii.map((radius) => (radius > 0 ? Math.abs(Math.log(radius / info.norm_mean)) : Infinity));
  return miss.indexOf(Math.min(...miss));
}

const mix = (a, b, share) => (share < 1e-9 || !Number.isFinite(b) ? a : Number.isFinite(a) ? a + (b - a) * share : b);
