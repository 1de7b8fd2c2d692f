// The button that plays and pauses.

import { el, icon } from "../kit/dom.js";
import { tr } from "../kit/words.js";

const PLAY = "M7 4.500v15l12.500-7.500z";
const PAUSE = "M6 4.500h4.200v15H6zM13.800 4.500H18v15h-4.200z";

/** `play` is what a press does while it rests: "Play". `show(state)` of what it plays; only "running" can be paused. */
export function playButton(testid, play, click) {
  const drawn = icon(PLAY);
  const button = el("button", { type: "button", class: "lpc-button lpc-icon lpc-primary", testid, on: { click } }, drawn);
  button.show = (state) => {
    const running = state === "running";
    const title = running ? tr("Pause (space)") : tr("{play} (space)", { play });
    drawn.firstChild.setAttribute("d", running ? PAUSE : PLAY);
    button.title = title;
    button.setAttribute("aria-label", title);
    button.dataset.state = state;
  };
  return button;
}
