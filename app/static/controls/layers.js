// Chips that switch what is drawn with the points.

import { el } from "../kit/dom.js";
import { tr } from "../kit/words.js";

export class Layers {
  /** kinds: {key: [mark, text]}, all of them on at first; `chips` are their buttons by key. */
  constructor(testid, kinds, changed) {
    Object.assign(this, { on: {}, chips: {}, changed });
    for (const [key, [mark, text]] of Object.entries(kinds)) {
      this.on[key] = true;
      this.chips[key] = el("button", { type: "button", class: "lpc-chip", "aria-pressed": "true", testid: `${testid}-${key}`, title: tr("Show or hide: {what}", { what: text }),
        on: { click: () => this.set(key, !this.on[key]) } }, mark, el("span", { text }));
    }
  }

  set(key, on) {
    this.on[key] = on;
    this.chips[key].setAttribute("aria-pressed", String(on));
    this.chips[key].classList.toggle("lpc-dim", !on);
    this.changed();
  }
}
