// A lesson's stage: the live stage, or that of a comparison, with a coach above it and only what the step is about.

import { keeping } from "../kit/component.js";
import { CompareStage } from "../compare/compare.js";
import { Stage } from "../live/stage.js";
import { again } from "../live/view.js";
import { Seen } from "./check.js";
import { Coach } from "./coach.js";

const LAYERS = ["shell", "points", "forces"];
const PANELS = ["nodes", "curves"];
const SPEED = "100"; // steps per second, slow enough to watch

/** props: those of the stage, and {lesson, index, done, titles, step: {goal, check, question, gamma, shows, next}, tell(message)}. */
const withCoach = (Base) => class extends Base {
  build() {
    this.sheets = [...this.sheets, "learn/learn.css"];
    super.build();
    this.runs = [];
    this.coach = new Coach({
      gamma: (value) => this.gamma.set(value), ticked: () => this.tell("reached"), next: () => this.tell("next") });
    this.root.classList.add("lpc-lesson");
    this.root.prepend(this.coach.element);
    this.open();
  }

  tell(what) {
    const { lesson, index } = this.props;
    this.props.tell({ what, lesson, index });
  }

  /** Another step, which may be another lesson's. */
  open() {
    const { step, done } = this.props;
    this.coach.open(step, done);
    this.transport.speedChosen = true;
    this.transport.speed.value = SPEED;
    this.shows();
  }

  /** Whether what is drawn is this lesson's: the page may hear of its step before the run, or after it. */
  get mine() {
    return JSON.stringify(this.setupInfo?.titles) === JSON.stringify(this.props.titles);
  }

  shows() {
    const { shows } = this.props.step;
    for (const key of LAYERS) this.layers.set(key, shows.includes(key));
    for (const name of PANELS) this.root.classList.toggle(`lpc-without-${name}`, !shows.includes(name));
  }

  lineIs(status) {
    super.lineIs(status);
    this.coach.doIt.disabled = status !== "open";
  }

  setup(message) {
    super.setup(message);
    this.shows(); // the stage chooses its layers for a new run by itself
    this.runs = message.info.panels.map(({ history }) => {
      const seen = new Seen();
      seen.addHistory(history ?? {});
      return seen;
    });
  }

  arrived(info) {
    super.arrived(info);
    const measured = info.panels.filter(({ metrics }) => Object.keys(metrics ?? {}).length);
    if (measured.length < info.panels.length) return;
    info.panels.forEach((own, i) => this.runs[i]?.add({ ...own.metrics, step: own.step, gamma: own.gamma }));
    if (this.mine) this.coach.see(this.runs, this.setupInfo.catalogue);
  }

  update(props) {
    const { lesson, index } = this.props;
    super.update(props);
    if (this.props.lesson === lesson && this.props.index === index) return;
    this.open();
    this.transport.sendSpeed();
  }

  state() {
    const { coach: { done, picked, step } } = this;
    return { ...super.state(), lesson: this.props.lesson, index: this.props.index, ticked: done, picked, goal: step?.goal };
  }
};

const [Alone, SideBySide] = [withCoach(Stage), withCoach(CompareStage)];

export default keeping((element, data, component) => {
  const props = { ...data, again: again(component), tell: (message) => component.setTriggerValue("told", message) };
  return new (data.titles.length > 1 ? SideBySide : Alone)(element, props);
}, (data) => (data.titles.length > 1 ? "side by side" : "alone"));
