// The chosen samples in words, by class, with a button that lets them go.

import { el, setText } from "../kit/dom.js";
import { countsOf } from "../kit/linked.js";
import { tr } from "../kit/words.js";

export class Selection {
  constructor(host, linked) {
    Object.assign(this, { host, linked });
    this.text = el("span");
    host.append(this.text, el("button", { type: "button", class: "lpc-link-button", text: tr("clear"), testid: "lpc-clear-selection", on: { click: () => linked.choose(null) } }));
  }

  /** `setup`: {info, labels} of the run, or null. */
  say(setup) {
    const { host, linked: { chosen } } = this;
    host.hidden = !chosen || !setup;
    if (host.hidden) return;
    const counts = countsOf(chosen, setup.labels);
    const parts = counts.map(([label, count]) => `${setup.info.class_names[label]} ${count}`);
    setText(this.text, tr("{n} selected: {classes}", { n: counts.reduce((sum, [, count]) => sum + count, 0), classes: parts.join(", ") }));
  }
}
