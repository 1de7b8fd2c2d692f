// Play, pause, step, reset, speed, and the readouts beside them.

import { el, icon, select, setText } from "../kit/dom.js";
import { formatCount, formatPercent } from "../kit/format.js";
import { playButton } from "../controls/playbutton.js";
import { tr } from "../kit/words.js";

const STEP = "M5 4.500v15l9.500-7.500zM16 4.500h3v15h-3z";
const RESET = "M12 5V1.500L6.500 6.500 12 11.500V8a5.500 5.500 0 1 1-5.500 5.500h-3A8.500 8.500 0 1 0 12 5z";
const SPEEDS = [["10", "10 / s"], ["30", "30 / s"], ["100", "100 / s"], ["300", "300 / s"], ["1000", "1,000 / s"], ["0", "max"]];
const STATES = { running: tr("running"), paused: tr("paused"), finished: tr("finished"), diverged: tr("diverged") };

export class Transport {
  constructor(send, gamma) {
    Object.assign(this, { send, state: "", speedChosen: false });
    this.play = playButton("lpc-play", tr("Play"), () => this.togglePlay());
    this.step = iconButton("lpc-step", tr("One step (.)"), STEP, () => this.send({ type: "step", count: 1 }));
    this.reset = iconButton("lpc-reset", tr("Reset to step 0 (Shift+R)"), RESET, () => this.send({ type: "reset" }));
    this.speed = select(tr("Speed in steps per second"), SPEEDS, "300", () => this.chooseSpeed(), { "data-testid": "lpc-speed", class: "lpc-select" });
    const names = { step: tr("step"), train: tr("train accuracy"), test: tr("test accuracy") };
    this.values = Object.fromEntries(Object.keys(names).map((key) => [key, el("dd", { testid: `lpc-${key}-value`, text: "–" })]));
    const readouts = el("dl", { class: "lpc-readouts" }, ...Object.entries(names).map(([key, name]) => el("div", {}, el("dt", { text: name }), this.values[key])));
    this.said = el("span", { class: "lpc-run-state", testid: "lpc-run-state" }); // for who follows: they have no buttons
    const buttons = el("div", { class: "lpc-buttons" }, this.said, this.play, this.step, this.reset, this.speed);
    this.element = el("div", { class: "lpc-transport", role: "group", "aria-label": tr("Run") }, buttons, gamma.element, readouts);
    this.setState("paused");
  }

  /** Answers at once; the next frame confirms or corrects. */
  togglePlay() {
    const type = this.state === "running" ? "pause" : "play";
    if (this.send({ type })) this.setState(type === "play" ? "running" : "paused");
  }

  chooseSpeed() {
    this.speedChosen = true;
    this.sendSpeed();
  }

  sendSpeed() {
    if (this.speedChosen) this.send({ type: "speed", steps_per_second: Number(this.speed.value) });
  }

  setState(state) {
    if (state === this.state) return;
    this.state = state;
    setText(this.said, STATES[state] ?? state);
    this.play.show(state);
  }

  /** The figures of one moment. */
  tell({ step, metrics }) {
    setText(this.values.step, formatCount(step));
    setText(this.values.train, formatPercent(metrics?.train_accuracy));
    setText(this.values.test, formatPercent(metrics?.test_accuracy));
  }
}

const iconButton = (testid, title, path, click) => el("button", { type: "button", class: "lpc-button lpc-icon", testid, title, "aria-label": title, on: { click } }, icon(path));
