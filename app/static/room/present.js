// Presenting: the page for a projector, and a spotlight that follows the pointer. It is part of the address (`present=1`).

import { el } from "../kit/dom.js";
import { listen, TYPING } from "../kit/keys.js";

const ON = "lpc-presenting"; // on the document: the style sheet does the rest
let wanted = new URLSearchParams(location.search).has("present"); // by this document, whatever page it shows

/** The address says so too, for a reload and for whoever copies it. */
function write() {
  const url = new URL(location.href);
  if (wanted) url.searchParams.set("present", "1");
  else url.searchParams.delete("present");
  history.replaceState(history.state, "", url);
}

export class Presenting {
  /** `changed()` hears of it. */
  constructor(changed) {
    this.changed = changed;
    this.light = el("div", { class: "lpc-spotlight", hidden: true, "aria-hidden": "true", testid: "lpc-spotlight" });
    document.body.append(this.light);
    this.follow = ({ clientX, clientY }) => {
      this.light.style.setProperty("--lpc-x", `${clientX}px`);
      this.light.style.setProperty("--lpc-y", `${clientY}px`);
    };
    this.stopKeys = listen((event) => this.choose(event));
    this.show();
  }

  get on() {
    return wanted;
  }

  choose({ key = "", repeat, target }) {
    if (!wanted || repeat || key.toLowerCase() !== "s" || (target instanceof Element && target.closest(TYPING))) return null;
    return () => this.toggleLight();
  }

  toggle() {
    wanted = !wanted;
    write();
    this.show();
  }

  show() {
    document.documentElement.classList.toggle(ON, wanted);
    if (!wanted) this.shine(false);
    window.dispatchEvent(new Event("resize"));
    this.changed();
  }

  toggleLight() {
    this.shine(this.light.hidden);
    this.changed();
  }

  /** Begins in the middle, where nobody has pointed yet. */
  shine(on) {
    this.light.hidden = !on;
    if (on) document.addEventListener("pointermove", this.follow);
    else document.removeEventListener("pointermove", this.follow);
  }

  get shines() {
    return !this.light.hidden;
  }

  /** The page has gone, and if it was the `last`, nothing is presented until one comes that can be. */
  destroy(last) {
    this.shine(false);
    this.stopKeys();
    this.light.remove();
    if (last) document.documentElement.classList.remove(ON);
  }
}
