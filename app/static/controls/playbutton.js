// The button that plays and pauses.

import { el, icon } from "../kit/dom.js";
import { tr } from "../kit/words.js";

const PLAY = "M7 4.500v15l12.500-7.500z";
const PAUSE = "M6 4.500h4.200v15H6zM13.800 4.500H18v15h-4.200z";

export class PlayButton {
  /** `play` is what a press does while it rests: "Play". */
  constructor(testid, play, click) {
    this.play = play;
    this.icon = icon(PLAY);
    this.element = el("button", { type: "button", class: "lpc-button lpc-icon lpc-primary", testid, on: { click } }, this.icon);
  }

  /** Shows the state of what it plays; only "running" can be paused. */
  show(state) {
    const running = state === "running";
    const title = running ? tr("Pause (space)") : tr("{play} (space)", { play: this.play });
    this.icon.firstChild.setAttribute("d", running ? PAUSE : PLAY);
    this.element.title = title;
    this.element.setAttribute("aria-label", title);
    this.element.dataset.state = state;
  }
}
