// The ⓘ of charts and tables: for each metric its name, formula, meaning and source.

import { el } from "../kit/dom.js";
import { Popover } from "../kit/popover.js";
import { tr } from "../kit/words.js";

export class MetricPopover extends Popover {
  constructor(root) {
    super(root);
    this.list = el("div", { class: "lpc-metric-list" });
    this.element.append(this.list);
    this.element.classList.add("lpc-metric-popover");
  }

  /** What a button's key, read(), has when it is opened: {title, text, metrics: [{title, formula, unit, meaning, source}], more: the rest of an about, or null}. */
  fill(read) {
    const { title, text, metrics, more } = read();
    this.say(title, text, more ?? {});
    this.list.replaceChildren(...metrics.map(describe));
  }
}

function describe({ title, formula, unit, meaning, source }) {
  const row = (name, text, options) => [el("dt", { text: name }), el("dd", { text, ...options })];
  return el("section", { testid: "lpc-metric" }, el("h4", { text: tr(title) }),
    el("dl", {}, ...row(tr("formula"), tr(formula), { class: "lpc-formula" }), ...(unit ? row(tr("unit"), tr(unit)) : []), ...row(tr("meaning"), tr(meaning)), ...row(tr("source"), source)));
}
