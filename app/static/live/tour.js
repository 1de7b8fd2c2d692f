// A short tour of the stage, offered in one line until it was taken or refused; nothing waits for it.

import { button, el, setText } from "../kit/dom.js";
import { Popover } from "../kit/popover.js";
import { recall, remember } from "../kit/remember.js";
import { tr } from "../kit/words.js";

const [NAME, OVER] = ["tour", "over"];

export class Tour extends Popover {
  /** `stops`: [[test id of a part of `root`, what is said there]]. */
  constructor(root, stops) {
    super(root);
    Object.assign(this, { stops, at: -1, parts: [] });
    this.back = button(tr("Back"), "lpc-tour-back", () => this.go(-1));
    this.next = button(tr("Next"), "lpc-tour-next", () => this.go(1));
    this.element.setAttribute("role", "dialog");
    this.element.setAttribute("aria-label", tr("Tour"));
    this.element.append(el("div", { class: "lpc-tour-tools" }, this.back, this.next, button(tr("End"), "lpc-tour-end", () => this.close())));
    this.offer = el("span", { class: "lpc-tour-offer", hidden: recall(NAME) === OVER }, button(tr("Take the tour"), "lpc-tour", () => this.start(), { class: "lpc-chip" }),
      button("×", "lpc-tour-refuse", () => this.finish(), { class: "lpc-close", "aria-label": tr("No tour, thank you") }));
  }

  /** From the first of the stops that are on the page now. */
  start() {
    this.parts = this.stops.map(([id, text]) => ({ part: this.root.querySelector(`[data-testid="${id}"]`), text })).filter(({ part }) => part?.offsetParent);
    Object.assign(this, { at: -1, owner: this.offer.firstChild });
    this.element.hidden = false;
    document.addEventListener("keydown", this.escape);
    this.go(1);
  }

  go(by) {
    this.mark(false);
    this.at += by;
    if (this.at >= this.parts.length) return void this.close();
    const { part, text } = this.parts[this.at];
    this.say(tr("{at} of {all}", { at: this.at + 1, all: this.parts.length }), tr(text));
    this.back.disabled = this.at === 0;
    setText(this.next, this.at + 1 === this.parts.length ? tr("Done") : tr("Next"));
    this.mark(true);
    part.scrollIntoView({ block: "nearest" });
    this.place(part.querySelector("header") ?? part);
    this.next.focus({ preventScroll: true });
  }

  /** The part that is spoken of has a frame. */
  mark(on) {
    this.parts[this.at]?.part.classList.toggle("lpc-toured", on);
  }

  close() {
    if (!this.owner) return;
    this.leave();
    this.finish();
  }

  /** The page goes: nobody has refused anything. */
  leave() {
    this.mark(false);
    super.close();
  }

  /** For good, in this browser. */
  finish() {
    remember(NAME, OVER);
    this.offer.hidden = true;
  }
}
