// Terms in a page's words: whoever points at one, comes to it by keys or touches it reads what it means. A link to "#term-…" has that as its title.

import { el } from "./dom.js";

const TERM = 'a[href^="#term-"]';
const EDGE = 8; // pixels between the tip and the window
const LINGER_MS = 200; // for a pointer on its way from the term into the tip

const tip = el("div", { class: "lpc-term-tip", id: "lpc-term-tip", role: "tooltip", hidden: true, testid: "lpc-term-tip" });
let term = null; // the one that is explained
let leaving = 0; // the timer of a pointer that has left it

const termAt = (target) => (target instanceof Element ? target.closest(TERM) : null);

function pointed({ target, pointerType }) {
  if (pointerType !== "mouse") return;
  clearTimeout(leaving);
  const found = termAt(target);
  if (found) show(found);
  else if (term && !tip.contains(target) && term !== document.activeElement) leaving = setTimeout(() => show(null), LINGER_MS);
}

/** A term leads nowhere; a touch beside it and its tip ends that. */
function clicked(event) {
  const found = termAt(event.target);
  if (found) {
    event.preventDefault();
    event.stopPropagation();
  }
  if (found || !tip.contains(event.target)) show(found);
}

function show(other) {
  if (other === term) return;
  if (term) {
    term.title = tip.textContent; // away meanwhile, or the browser would show it, too
    term.removeAttribute("aria-describedby");
  }
  term = other;
  tip.hidden = !term;
  if (!term) return;
  tip.textContent = term.title;
  term.removeAttribute("title");
  term.setAttribute("aria-describedby", tip.id);
  (term.closest("[data-testid=stMain]") ?? document.body).append(tip); // within a landmark
  place();
}

/** Below the term where there is room, else above it; in the colours of what it stands in. */
function place() {
  if (!term) return;
  const { left, top, bottom } = term.getBoundingClientRect();
  const { color } = getComputedStyle(term), page = document.querySelector("[data-testid=stApp]") ?? document.body;
  Object.assign(tip.style, { color, background: getComputedStyle(page).backgroundColor });
  const below = bottom + tip.offsetHeight + EDGE <= window.innerHeight || top < tip.offsetHeight + EDGE;
  tip.style.top = `${below ? bottom : top - tip.offsetHeight}px`;
  tip.style.left = `${Math.max(EDGE, Math.min(left, window.innerWidth - tip.offsetWidth - EDGE))}px`;
}

const hearers = { pointerover: pointed, focusin: ({ target }) => show(termAt(target)), click: clicked, keydown: ({ key }) => key === "Escape" && show(null), scroll: place };
for (const [type, hear] of Object.entries(hearers)) document.addEventListener(type, hear, true);
window.addEventListener("resize", place);
