// A small menu of file formats: a button that opens a list, with the keys of a menu (WAI-ARIA menu button).

import { el, icon } from "../kit/dom.js";
import { tr } from "../kit/words.js";

const DOWN = "M11 4h2v8.600l3.300-3.300 1.400 1.400L12 16.400l-5.700-5.700 1.400-1.400 3.300 3.300zM5 18h14v2H5z";

/** choices: [[text, testid, action()]]. */
export class SaveMenu {
  constructor(about, testid, choices) {
    this.button = el("button", {
      type: "button", class: "lpc-save", title: tr("Save: {about}", { about }), "aria-label": tr("Save: {about}", { about }), "aria-haspopup": "menu", "aria-expanded": "false", testid,
      on: { click: () => this.unfold(this.list.hidden) },
    }, icon(DOWN));
    const items = choices.map(([text, id, action]) => el("button", { type: "button", role: "menuitem", tabindex: "-1", text, testid: id, on: { click: () => this.choose(action) } }));
    this.list = el("div", { class: "lpc-save-list", role: "menu", hidden: true, "aria-label": tr("Save: {about}", { about }) }, ...items);
    const out = (event) => !this.element.contains(event.relatedTarget) && this.unfold(false);
    this.element = el("div", { class: "lpc-save-menu", on: { keydown: (event) => this.key(event), focusout: out } }, this.button, this.list);
  }

  unfold(open) {
    this.list.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    if (open) this.list.firstChild.focus();
  }

  leave() {
    this.button.focus();
    this.unfold(false);
  }

  choose(action) {
    this.leave();
    action();
  }

  key(event) {
    const items = [...this.list.children].filter((item) => !item.hidden);
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Escape" && !this.list.hidden) this.leave();
    else if (to !== undefined && this.list.hidden) this.unfold(true);
    else if (to !== undefined) items[to % items.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** What a chart's menu offers: pictures, and its numbers; `id(format)` names each for tests. */
export const formats = (id, picture, data) => [
  [tr("Picture, SVG"), id("svg"), () => picture("svg")],
  [tr("Picture, PNG"), id("png"), () => picture("png")],
  [tr("Data, CSV"), id("csv"), data],
];

/** Hands the reader a table as a file. */
export const saveTable = (text, name) => saveBlob(new Blob([text], { type: "text/csv" }), `lpc-lab-${name}.csv`);

export function saveBlob(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = el("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
