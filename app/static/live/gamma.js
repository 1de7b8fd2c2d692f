// The γ slider: log scale, answers while it is dragged, follows the schedule or stays where the hand put it.

import { button, el, segmented, setText } from "../kit/dom.js";
import { formatDecade, formatGamma } from "../kit/format.js";
import { placed, Rail } from "../controls/rail.js";
import { tr } from "../kit/words.js";

const LOW = -4; // default ends, in decades
const HIGH = 6;
const FINE = 1 / 20; // decades per arrow key
const COARSE = 1 / 4;
const STEPS = { ArrowRight: FINE, ArrowUp: COARSE, PageUp: 1, ArrowLeft: -FINE, ArrowDown: -COARSE, PageDown: -1, Home: -99, End: 99 };
const AUTO_GRACE_MS = 1_500;

export class GammaControl {
  /** hooks: {send(message), sent(seq), info(key)}; info gives an ⓘ button. */
  constructor({ send, sent, info }) {
    Object.assign(this, { send, sent, low: LOW, high: HIGH, seq: 0, pending: false, value: 1e-4, actual: 1e-4, told: null, mode: "auto" });
    Object.assign(this, { autoAsked: 0, waiting: null });
    this.readout = el("output", { class: "lpc-gamma-value", testid: "lpc-gamma-value", text: "–" });
    this.end = el("div", { class: "lpc-end", title: tr("Here the schedule ends"), hidden: true });
    this.tick = el("div", { class: "lpc-actual", hidden: true, title: tr("γ is here and glides to the thumb") });
    this.rail = new Rail({ label: tr("γ, the weight of the penalty on the latents"), testid: "lpc-gamma" },
      { to: (share) => this.set(10 ** (this.low + share * (this.high - this.low))), steps: () => STEPS, by: (decades) => this.nudge(decades) }, this.end, this.tick);
    this.slider = this.rail.element;
    this.toggle = segmented(tr("Who moves γ"), [
      { value: "auto", text: tr("auto ramp"), title: tr("The schedule moves γ"), testid: "lpc-auto" },
      { value: "hand", text: tr("by hand"), title: tr("γ stays where you put it"), testid: "lpc-hand" },
    ], (mode) => (mode === "auto" ? this.giveBack() : this.set(this.actual)), "lpc-gamma-mode");
    this.zero = button("γ = 0", "lpc-gamma-zero", () => this.set(0), { class: "lpc-button lpc-zero", title: tr("Take the penalty away: the paper's baseline") });
    const head = el("div", { class: "lpc-gamma-head" }, el("span", { class: "lpc-gamma-name", text: "γ" }), this.readout, info("gamma"));
    this.element = el("div", { class: "lpc-gamma" }, head, this.slider,
      el("div", { class: "lpc-gamma-side" }, this.toggle, this.zero));
    this.drawScale();
    this.render();
  }

  /** Moves the hand by a number of decades. */
  nudge(decades) {
    this.set(10 ** Math.max(this.low, Math.min(this.high, this.decadeOf(this.value) + decades)));
  }

  /** The hand puts γ at `value`; sent at most once per animation frame. */
  set(value) {
    Object.assign(this, { value, mode: "hand", pending: true, autoAsked: 0 });
    this.render();
    this.waiting ??= requestAnimationFrame(() => this.flush());
  }

  flush() {
    this.waiting = null;
    if (this.mode !== "hand") return;
    this.seq += 1;
    if (this.send({ type: "gamma", value: this.value, seq: this.seq })) this.sent(this.seq);
    else this.pending = false;
  }

  giveBack() {
    Object.assign(this, { mode: "auto", pending: false, autoAsked: performance.now() });
    this.send({ type: "auto" });
    this.render();
  }

  setup({ gamma_start: start, gamma_end: end }) {
    const ends = [start, end].map((value) => (value > 0 ? Math.log10(value) : 0));
    this.low = Math.min(LOW, ...ends.map(Math.floor));
    this.high = Math.max(HIGH, ...ends.map(Math.ceil));
    [this.pending, this.told] = [false, null];
    this.end.hidden = !(end > 0);
    placed(this.end, this.shareOf(end));
    this.drawScale();
  }

  drawScale() {
    const decades = Array.from({ length: this.high - this.low + 1 }, (_, i) => this.low + i);
    this.rail.setScale(this.low, this.high, decades.map((e, i) => ({ share: this.shareOf(10 ** e), text: formatDecade(e), minor: i % 2 === 1 })));
  }

  /** What the run says: its γ, its target and who moves it. */
  update(info) {
    if (this.waiting === null && info.gamma_seq >= this.seq) [this.seq, this.pending] = [info.gamma_seq, false];
    this.actual = info.gamma;
    const graced = info.gamma_mode === "hand" && performance.now() - this.autoAsked < AUTO_GRACE_MS;
    if (!this.pending && !this.rail.dragging && !graced) this.mode = info.gamma_mode;
    if (this.mode === "auto") this.value = info.gamma;
    else if (!this.pending && !this.rail.dragging) this.value = info.gamma_target;
    this.render();
  }

  /** The γ of the moment that the page's numbers are of; the thumb may be further on. */
  tell(gamma) {
    this.told = gamma;
    this.render();
  }

  /** log₁₀ γ; 0 lies at the rail's low end. */
  decadeOf(value) {
    return value > 0 ? Math.log10(value) : this.low;
  }

  /** Where γ lies on the rail, 0…1. */
  shareOf(value) {
    return Math.max(0, Math.min(1, (this.decadeOf(value) - this.low) / (this.high - this.low)));
  }

  render() {
    const byHand = this.mode === "hand";
    const shown = byHand ? this.value : this.actual;
    setText(this.readout, formatGamma(byHand ? shown : this.told ?? shown));
    const actual = this.shareOf(this.actual);
    this.rail.show(this.shareOf(shown), actual, this.decadeOf(shown).toFixed(2), `γ = ${formatGamma(shown)}, ${byHand ? tr("by hand") : tr("auto ramp")}`);
    this.tick.hidden = !byHand || Math.abs(actual - this.shareOf(this.value)) < 0.004;
    placed(this.tick, actual);
    this.toggle.select(this.mode);
    this.zero.setAttribute("aria-pressed", String(byHand && this.value === 0));
    this.slider.classList.toggle("lpc-byhand", byHand);
  }
}
