// Terms in a page's words: whoever points at one, comes to it by keys or touches it reads what it means. A link to "#term-…" has that as its title.

import { el } from "./dom.js";

const TERM = 'a[href^="#term-"]';
const EDGE = 8; // pixels between the tip and the window
const LINGER_MS = 200; // for a pointer on its way from the term into the tip

class Terms {
  constructor() {
    this.term = null; // the one that is explained
    this.tip = el("div", { class: "lpc-term-tip", id: "lpc-term-tip", role: "tooltip", hidden: true, testid: "lpc-term-tip" });
    const on = (type, hear) => document.addEventListener(type, hear, true);
    on("pointerover", ({ target, pointerType }) => pointerType === "mouse" && this.pointed(target));
    on("focusin", ({ target }) => this.show(termAt(target)));
    on("click", (event) => this.clicked(event));
    on("keydown", ({ key }) => key === "Escape" && this.show(null));
    on("scroll", () => this.place());
    window.addEventListener("resize", () => this.place());
  }

  pointed(target) {
    clearTimeout(this.leaving);
    const term = termAt(target);
    if (term) this.show(term);
    else if (this.term && !this.tip.contains(target) && this.term !== document.activeElement) this.leaving = setTimeout(() => this.show(null), LINGER_MS);
  }

  /** A term leads nowhere; a touch beside it and its tip ends that. */
  clicked(event) {
    const term = termAt(event.target);
    if (term) {
      event.preventDefault();
      event.stopPropagation();
    }
    if (term || !this.tip.contains(event.target)) this.show(term);
  }

  show(term) {
    if (term === this.term) return;
    if (this.term) {
      this.term.title = this.tip.textContent; // away meanwhile, or the browser would show it, too
      this.term.removeAttribute("aria-describedby");
    }
    this.term = term;
    this.tip.hidden = !term;
    if (!term) return;
    this.tip.textContent = term.title;
    term.removeAttribute("title");
    term.setAttribute("aria-describedby", this.tip.id);
    (term.closest("[data-testid=stMain]") ?? document.body).append(this.tip); // within a landmark
    this.place();
  }

  /** Below the term where there is room, else above it; in the colours of what it stands in. */
  place() {
    if (!this.term) return;
    const { tip, term } = this, { left, top, bottom } = term.getBoundingClientRect();
    const { color } = getComputedStyle(term), page = document.querySelector("[data-testid=stApp]") ?? document.body;
    Object.assign(tip.style, { color, background: getComputedStyle(page).backgroundColor });
    const below = bottom + tip.offsetHeight + EDGE <= window.innerHeight || top < tip.offsetHeight + EDGE;
    tip.style.top = `${below ? bottom : top - tip.offsetHeight}px`;
    tip.style.left = `${Math.max(EDGE, Math.min(left, window.innerWidth - tip.offsetWidth - EDGE))}px`;
  }
}

const termAt = (target) => (target instanceof Element ? target.closest(TERM) : null);

export const terms = new Terms();
