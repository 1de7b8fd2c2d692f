// The panels of a comparison: a heading, a latent view and one sentence for each run.

import { PanelLatents } from "./view.js";
import { el, setText } from "../kit/dom.js";
import { formatGamma } from "../kit/format.js";
import { said, tr } from "../kit/words.js";
import { History } from "../panels/history.js";

/** The mark of run `index`: its line in the chart. */
export const DASHES = ["solid", "dash", "dot", "dashdot"];
export const runColours = (theme) => (theme.dark ? ["#f4f4f6", "#ff7b72", "#b69cff", "#3fc7c7"] : ["#16181d", "#d4302f", "#6f42c1", "#0b7f86"]);

export class ComparePanel {
  /** index, title, follows: whether the shared γ moves it. */
  constructor({ index, title, follows, legend, controls, layers, group, hooks }) {
    Object.assign(this, { index, name: tr(title), history: new History(), told: {}, follows });
    this.mark = el("i", { class: "lpc-run-mark", "aria-hidden": "true" });
    this.gamma = el("span", { class: "lpc-hint lpc-run-gamma", testid: `lpc-run-gamma-${index}` });
    this.plot = el("div", { class: "lpc-plot" });
    this.selection = el("div", { class: "lpc-selection", role: "status", hidden: true });
    this.note = el("p", { class: "lpc-hint lpc-run-note", hidden: true });
    this.sentence = el("p", { class: "lpc-run-sentence", testid: `lpc-run-sentence-${index}` });
    this.element = el("section", { class: "lpc-panel lpc-run", testid: `lpc-run-${index}`, "aria-label": this.name },
      el("header", { class: "lpc-run-head" }, this.mark, el("h2", { text: this.name, title: this.name }), this.gamma),
      this.plot, this.selection, this.sentence, this.note);
    this.latents = new PanelLatents({ plot: this.plot, legend, selection: this.selection, controls, layers }, hooks, group);
  }

  /** Its mark and name, to stand beside its numbers. */
  named() {
    return [this.mark.cloneNode(), el("span", { text: this.name })];
  }

  setup(message) {
    const { info } = message;
    this.history.load(info.history || {});
    this.note.hidden = info.theory;
    setText(this.note, info.theory ? "" : tr(info.theory_note));
    this.told = {};
    setText(this.sentence, "");
    this.latents.setup(message);
  }

  record(info) {
    if (!Object.keys(info.metrics || {}).length) return;
    this.history.append({ ...info.metrics, step: info.step, gamma: info.gamma });
  }

  show(message, now) {
    this.frame = message;
    this.latents.push(message, now);
  }

  /** The words and numbers of one measured moment. */
  tell({ info }) {
    this.told = { ...info.metrics, step: info.step, gamma: info.gamma };
    setText(this.gamma, this.follows ? `γ ${formatGamma(info.gamma)}` : tr("γ {gamma} (its own)", { gamma: formatGamma(info.gamma) }));
    setText(this.sentence, info.reason || said(info.sentence));
    this.latents.tell(info);
  }

  restyle(theme) {
    const style = { solid: "solid", dash: "dashed", dot: "dotted", dashdot: "dashed" }[DASHES[this.index]];
    this.mark.style.borderTop = `3px ${style} ${runColours(theme)[this.index]}`;
    this.latents.restyle(theme);
  }

  state() {
    const { current, camera, axes } = this.latents;
    const info = this.frame?.info;
    return {
      step: info?.step ?? null, gamma: info?.gamma ?? null, state: info?.state ?? null, radius: info?.norm_mean ?? null, halfRange: camera.half,
      range: axes.drawn ? axes.range : null, yaw: this.latents.spin.yaw, scale: current?.mapping.scale ?? null, dims: current?.scene.p ?? null,
      sentence: this.sentence.textContent, metrics: { ...this.history.latest }, said: { ...this.told },
    };
  }

  destroy() {
    this.latents.destroy();
    this.element.remove();
  }
}
