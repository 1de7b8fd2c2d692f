// The γ slider of a point cloud: where would this head's classes fall? Answers from a grid computed beforehand.

import { el, setText } from "./dom.js";
import { StopSlider } from "./filmslider.js";
import { formatDecade, formatGamma, formatNumber, formatPercent } from "./format.js";

const BETWEEN = 240; // stops of the slider, however few values of γ the grid has

export class CloudGamma {
  /** hooks: {moved(), info(key)} */
  constructor({ moved, info }) {
    Object.assign(this, { moved, at: 0, file: null });
    this.slider = new StopSlider({
      label: "γ of the predicted points", testid: "lpc-cloud-gamma", onMove: (stop) => this.go(stop),
      describe: () => `γ = ${formatGamma(this.gamma)}`,
    });
    this.value = el("output", { class: "lpc-gamma-value", testid: "lpc-cloud-gamma-value", text: "–" });
    this.sentence = el("p", { class: "lpc-hint lpc-cloud-fit", "aria-live": "polite", testid: "lpc-cloud-fit" });
    this.back = el("button", { type: "button", class: "lpc-button lpc-cloud-best", text: "best fit", testid: "lpc-cloud-best",
      title: "The γ whose predicted points lie nearest to the class means", on: { click: () => this.toBest() } });
    const head = el("div", { class: "lpc-gamma-head" }, el("span", { class: "lpc-gamma-name", text: "γ" }), this.value, info("cloud-gamma"));
    this.row = el("div", { class: "lpc-cloud-gamma" }, head, this.slider.element, this.back);
    this.element = el("div", { class: "lpc-cloud-theory" }, this.row, this.sentence);
  }

  open(file) {
    this.file = file;
    const { gammas, best, critical, note } = file.theory ?? { gammas: [], note: "The predicted points are being computed…" };
    this.row.hidden = !gammas.length;
    if (!gammas.length) return setText(this.sentence, note);
    [this.low, this.high] = [Math.log10(gammas[0]), Math.log10(gammas[gammas.length - 1])];
    const ticks = [];
    for (let e = Math.ceil(this.low - 1e-9); e <= this.high + 1e-9; e += 2) ticks.push({ share: this.shareOf(10 ** e), text: formatDecade(e), minor: e % 4 !== 0 });
    this.slider.setStops(Array.from({ length: BETWEEN + 1 }, (_, i) => i / BETWEEN), ticks);
    const mark = (gamma, className, title) => Number.isFinite(gamma) && gamma > 0 && { share: this.shareOf(gamma), className, title: `${title}: γ = ${formatGamma(gamma)}` };
    this.slider.setMarks([mark(gammas[best], "lpc-cloud-mark-best", "nearest to the class means"),
      mark(critical, "lpc-cloud-mark-critical", "from here on a class's own point is not surely its own")].filter(Boolean));
    this.back.hidden = best === null;
    this.at = Math.round(BETWEEN * this.shareOf(best === null ? 1 : gammas[best]));
    this.show();
  }

  shareOf(gamma) {
    return Math.max(0, Math.min(1, (Math.log10(gamma) - this.low) / (this.high - this.low)));
  }

  get gamma() {
    return 10 ** (this.low + (this.at / BETWEEN) * (this.high - this.low));
  }

  toBest() {
    this.go(Math.round(BETWEEN * this.shareOf(this.file.theory.gammas[this.file.theory.best])));
  }

  go(stop) {
    this.at = stop;
    this.show();
    this.moved();
  }

  /** Between which two values of the grid: [lower, upper, share of the upper]. */
  between() {
    const place = (this.at / BETWEEN) * (this.file.G - 1);
    const lower = Math.min(this.file.G - 1, Math.floor(place));
    return [lower, Math.min(this.file.G - 1, lower + 1), place - lower];
  }

  /** A column of the grid (G, K) at the slider's γ, into `out` (K). */
  column(values, K, out) {
    const [a, b, share] = this.between();
    for (let c = 0; c < K; c++) out[c] = mix(values[a * K + c], values[b * K + c], share);
    return out;
  }

  show() {
    const { info, theory, d } = this.file;
    setText(this.value, formatGamma(this.gamma));
    this.slider.show(this.at);
    const [a, b, share] = this.between();
    const value = (name) => mix(theory[name][a] ?? NaN, theory[name][b] ?? NaN, share);
    const measured = info.radius !== null ? `, measured ‖z‖ ${formatNumber(info.radius)}` : "";
    const parts = [`mean predicted ‖z*‖ ${formatNumber(value("radii"))}${measured}`];
    const error = value("errors");
    if (Number.isFinite(error)) parts.push(`class means ${error < 10 ? formatPercent(error) : `${formatNumber(error)} radii`} from their predicted points`);
    parts.push(`in the authors' code this γ is ${formatGamma(d * this.gamma)}`);
    setText(this.sentence, `${parts.join(" · ")}${theory.note ? ` · ${theory.note}` : ""}`);
  }
}

const mix = (a, b, share) => (share < 1e-9 || !Number.isFinite(b) ? a : Number.isFinite(a) ? a + (b - a) * share : b);
