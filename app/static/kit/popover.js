// The ⓘ buttons and the one popover they share.

import { el, setText } from "./dom.js";
import { explanation } from "./explain.js";
import { tr } from "./words.js";

let serial = 0;

export class Popover {
  /** Lives inside `root`; `setup()` gives the run's setup info, where there is a run. */
  constructor(root, setup = () => ({})) {
    Object.assign(this, { root, setup, owner: null });
    this.title = el("strong");
    this.text = el("p");
    this.more = el("div", { class: "lpc-about-more" });
    this.element = el("div", { class: "lpc-popover", id: `lpc-popover-${++serial}`, role: "note", hidden: true, testid: "lpc-popover" }, this.title, this.text, this.more);
    root.append(this.element);
    this.outside = (event) => !this.element.contains(event.target) && !this.owner?.contains(event.target) && this.close();
    this.escape = (event) => event.key === "Escape" && this.close();
  }

  /** A button that explains `key`; `suffix` keeps test ids apart where a key may appear twice. */
  button(key, suffix) {
    return this.about(explanation(key, this.setup())[0], `lpc-info-${suffix === undefined ? key : `curve-${suffix}`}`, key);
  }

  /** A button about what is called `about`; `key` is what `fill` gets. */
  about(about, testid, key) {
    const button = el("button", {
      type: "button", class: "lpc-info", text: "i", title: tr("About: {about}", { about }), "aria-label": tr("About: {about}", { about }), "aria-expanded": "false",
      "aria-controls": this.element.id, testid,
    });
    button.addEventListener("click", () => (this.owner === button ? this.close() : this.open(button, key)));
    return button;
  }

  open(button, key) {
    this.close();
    this.owner = button;
    this.fill(key);
    this.element.hidden = false;
    button.setAttribute("aria-expanded", "true");
    button.setAttribute("aria-describedby", this.element.id);
    this.place(button);
    document.addEventListener("pointerdown", this.outside);
    document.addEventListener("keydown", this.escape);
  }

  fill(key) {
    this.say(...explanation(key, this.setup()));
  }

  /** The last are what to look for, the terms, and the lesson about it. */
  say(title, text = "", { look, terms = [], lesson } = {}) {
    setText(this.title, title);
    setText(this.text, text);
    this.text.hidden = !text;
    this.more.replaceChildren(...[
      look && el("p", {}, el("strong", { text: tr("Look for:") }), " ", tr(look)),
      terms.length && el("dl", {}, ...terms.flatMap(([term, meaning]) => [el("dt", { text: tr(term) }), el("dd", { text: tr(meaning) })])),
      lesson && el("p", {}, el("a", { href: new URL(`learn?lesson=${lesson.name}`, document.baseURI).href, target: "_blank", rel: "noopener", text: tr("Lesson: {title}", { title: tr(lesson.title) }) })),
    ].filter(Boolean));
  }

  place(button) {
    const [frame, anchor] = [this.root.getBoundingClientRect(), button.getBoundingClientRect()];
    const { offsetWidth: w, offsetHeight: h } = this.element;
    const left = Math.max(8, Math.min(frame.width - w - 8, anchor.left - frame.left - 24));
    const below = anchor.bottom - frame.top + 8;
    const fits = anchor.bottom + 8 + h < window.innerHeight || anchor.top - 8 - h < 0;
    Object.assign(this.element.style, { left: `${left}px`, top: `${fits ? below : anchor.top - frame.top - 8 - h}px` });
  }

  close() {
    if (!this.owner) return;
    this.element.hidden = true;
    this.owner.setAttribute("aria-expanded", "false");
    this.owner.removeAttribute("aria-describedby");
    this.owner = null;
    document.removeEventListener("pointerdown", this.outside);
    document.removeEventListener("keydown", this.escape);
  }
}
