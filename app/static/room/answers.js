// What the room predicts: a bar for each answer of the question that is shown.

import { el, setText } from "../kit/dom.js";
import { tr } from "../kit/words.js";

export class Answers {
  constructor() {
    this.words = el("p", { class: "lpc-room-question" });
    this.bars = el("ul", { class: "lpc-room-bars" });
    this.element = el("section", { "aria-label": tr("Predictions"), hidden: true, testid: "lpc-room-answers" }, this.words, this.bars);
  }

  /** question: {words, options} or null; counts: how many gave each answer. */
  show(question, counts) {
    this.element.hidden = !question || counts.length !== question.options.length;
    if (this.element.hidden) return;
    setText(this.words, question.words);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const key = JSON.stringify([question.options, counts]);
    if (key === this.key) return;
    this.key = key;
    this.bars.replaceChildren(...question.options.map((text, i) => bar(text, counts[i], total)));
  }
}

function bar(text, count, total) {
  const fill = el("span", { class: "lpc-room-fill", "aria-hidden": "true" });
  fill.style.width = `${total ? (100 * count) / total : 0}%`;
  return el("li", {}, el("span", { class: "lpc-room-label" }, el("span", { text }), el("b", { text: String(count) })), el("span", { class: "lpc-room-track" }, fill));
}
