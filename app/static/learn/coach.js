// The coach: above the stage, what to predict, what to try, and the check that ticks when it has come about.

import { button, el, setText } from "../kit/dom.js";
import { formatGamma, formatNumber, formatPercent } from "../kit/format.js";
import { tr } from "../kit/words.js";
import { judge, met } from "./check.js";

export class Coach {
  /** hooks: {gamma(value), ticked(), next(), picked(index)}. */
  constructor(hooks) {
    Object.assign(this, { hooks, step: null, done: false, picked: null, words: null });
    this.question = el("p", { class: "lpc-coach-question", id: "lpc-coach-question" });
    this.options = el("div", { class: "lpc-coach-options", role: "group", "aria-labelledby": "lpc-coach-question" });
    this.predict = el("div", { class: "lpc-coach-part", testid: "lpc-predict" }, el("strong", { text: tr("Predict") }), this.question, this.options);
    this.doIt = button("", "lpc-do-it", () => hooks.gamma(this.step.gamma));
    this.mark = el("span", { class: "lpc-coach-mark", "aria-hidden": "true" });
    this.goal = el("span");
    this.state = el("span", { class: "lpc-hint", role: "status", testid: "lpc-check-state" });
    this.parts = el("ul", { class: "lpc-coach-conditions" });
    this.answer = el("p", { class: "lpc-coach-answer", hidden: true, testid: "lpc-answer" });
    this.next = button("", "lpc-next", () => hooks.next(), { class: "lpc-button lpc-coach-next", hidden: true });
    const head = el("p", { class: "lpc-coach-goal" }, this.mark, el("strong", { text: tr("Check: ") }), this.goal, " ", this.state);
    const check = el("div", { class: "lpc-coach-part", testid: "lpc-check" }, head, this.parts, el("div", { class: "lpc-coach-tools" }, this.doIt, this.next));
    this.element = el("section", { class: "lpc-coach lpc-panel", "aria-label": tr("This step"), testid: "lpc-coach" }, this.predict, check, this.answer);
  }

  /** Another step: {goal, check, question, gamma, next}. `done`: its check has ticked before. */
  open(step, done) {
    Object.assign(this, { step, picked: null });
    const { question, gamma } = step;
    this.predict.hidden = !question;
    setText(this.question, question?.words ?? "");
    this.options.replaceChildren(...(question?.options ?? []).map((text, i) => button(text, `lpc-option-${i}`, () => this.pick(i), { class: "lpc-chip", "aria-pressed": "false" })));
    setText(this.goal, step.goal);
    this.doIt.hidden = gamma === null;
    setText(this.doIt, gamma === null ? "" : tr("Do it for me: γ → {gamma}", { gamma: formatGamma(gamma) }));
    setText(this.next, step.next);
    this.chips = step.check.map(() => el("li"));
    this.parts.replaceChildren(...this.chips);
    this.done = done;
    this.show();
  }

  pick(index) {
    if (this.done && this.picked !== null) return; // it was a prediction
    this.picked = index;
    this.hooks.picked?.(index);
    [...this.options.children].forEach((option, i) => option.setAttribute("aria-pressed", String(i === index)));
    this.show();
  }

  /** The conditions at the moment that all numbers of the page are of; `catalogue` has the metrics' names. */
  tell(runs, catalogue) {
    this.step?.check.forEach((condition, i) => {
      const judged = judge(condition, runs);
      this.chips[i].classList.toggle("lpc-held", judged.holds);
      setText(this.chips[i], `${judged.holds ? "✓" : "○"} ${describe(condition, judged, catalogue, runs.length)}`);
    });
  }

  /** What was measured so far of every run. */
  see(runs) {
    if (!this.step || this.done || !met(this.step.check, runs)) return;
    this.done = true;
    this.show();
    this.hooks.ticked();
  }

  show() {
    this.element.classList.toggle("lpc-done", this.done);
    setText(this.mark, this.done ? "✔" : "○");
    setText(this.state, this.done ? tr("Done.") : "");
    this.next.hidden = !this.done || !this.step.next;
    this.showAnswer();
  }

  /** The answer is told to who has predicted, once the check has ticked. */
  showAnswer() {
    const { picked, step: { question } } = this;
    this.answer.hidden = !question || !this.done;
    if (this.answer.hidden) return;
    if (picked === null) return setText(this.answer, tr("Say what you predicted, and read the answer."));
    setText(this.answer, `${picked === question.right ? tr("You predicted it.") : tr("You predicted “{option}”.", { option: question.options[picked] })} ${question.answer}`);
    this.options.children[question.right].classList.add("lpc-right");
  }
}

/** A condition in words with its number now: "radius R 0.42, to be below 0.3". */
function describe({ value, sign, of }, { now, bound }, catalogue, runs) {
  const { short, axis } = catalogue.metric(value.name);
  const form = (number) => (axis === "percent" ? formatPercent(number) : formatNumber(number));
  const which = runs > 1 && value.name !== "gamma" ? `, ${tr("run {n}", { n: value.run + 1 })}` : "";
  const than = of && runs > 1 && of.run !== value.run ? ` (${tr("from run {n}", { n: of.run + 1 })})` : "";
  const told = { now: form(now), bound: form(bound) };
  return `${short}${which}: ${sign === "<" ? tr("{now}, to be below {bound}", told) : tr("{now}, to be above {bound}", told)}${than}`;
}
