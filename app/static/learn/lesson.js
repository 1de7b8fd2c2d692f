// A lesson's stage: the live stage, or that of a comparison, with a coach above it and only what the step is about.

import { keeping } from "../kit/component.js";
import { CompareStage } from "../compare/compare.js";
import { Stage } from "../live/stage.js";
import { again, whose } from "../live/view.js";
import { Seen } from "./check.js";
import { Coach } from "./coach.js";

const LAYERS = ["shell", "points", "forces"];
const PANELS = ["nodes", "curves"];
const SPEED = "100"; // steps per second, slow enough to watch

/** Only what the step is about. */
function showOnly(stage, shows) {
  stage.usualOff = () => LAYERS.filter((key) => !shows.includes(key));
  for (const key of LAYERS) stage.layers.set(key, shows.includes(key));
  for (const name of PANELS) stage.root.classList.toggle(`lpc-without-${name}`, !shows.includes(name));
}

const rowOf = ({ metrics, step, gamma }) => ({ ...metrics, step, gamma });

/** What a frame has measured, for the runs; returns whether it has. */
function seeNow(runs, { panels }) {
  if (!panels.every(({ metrics }) => Object.keys(metrics ?? {}).length)) return false;
  panels.forEach((panel, i) => runs[i]?.add(rowOf(panel)));
  return true;
}

/** The same runs as they were at the moment that the page's words and numbers are of. */
const saidOf = (runs, { panels }) => runs.map((seen, i) => Object.assign(new Seen(), seen, { now: rowOf(panels[i]) }));

/** Whoever leads a room may want to know (`room/follow.js`). */
function predicted({ lesson, index }, choice) {
  document.dispatchEvent(new CustomEvent("lpc-predicted", { detail: { lesson, index, choice } }));
}

/** props: those of the stage, and {lesson, index, done, titles, step: {goal, check, question, gamma, shows, next}, tell(message)}. */
const withCoach = (Base) => class extends Base {
  build() {
    this.sheets = [...this.sheets, "learn/learn.css"];
    super.build();
    this.runs = [];
    const tell = (what) => this.props.tell({ what, lesson: this.props.lesson, index: this.props.index });
    this.coach = new Coach({ gamma: (value) => this.gamma.set(value), ticked: () => tell("reached"), next: () => tell("next"), picked: (choice) => predicted(this.props, choice) });
    this.root.classList.add("lpc-lesson");
    this.root.prepend(this.coach.element);
    this.open();
  }

  /** Another step, which may be another lesson's. */
  open() {
    const { step, done, following } = this.props;
    this.coach.open(following ? { ...step, gamma: null, next: "" } : step, done);
    this.transport.speedChosen = true;
    this.transport.speed.value = SPEED;
    showOnly(this, step.shows);
  }

  lineIs(status) {
    super.lineIs(status);
    this.coach.doIt.disabled = status !== "open";
  }

  setup(message) {
    super.setup(message);
    showOnly(this, this.props.step.shows); // the stage chooses its layers for a new run by itself
    this.runs = message.info.panels.map(({ history }) => new Seen(history ?? {})); // what was measured before this page came
  }

  /** What is drawn may be another lesson's still: the page may hear of its step before the run, or after it. */
  get mine() {
    return JSON.stringify(this.setupInfo.titles) === JSON.stringify(this.props.titles);
  }

  arrived(info) {
    super.arrived(info);
    if (seeNow(this.runs, info) && this.mine) this.coach.see(this.runs);
  }

  tell(message) {
    super.tell(message);
    if (this.mine) this.coach.tell(saidOf(this.runs, message.info), this.setupInfo.catalogue);
  }

  update(props) {
    const { lesson, index } = this.props;
    super.update(props);
    if (this.props.lesson === lesson && this.props.index === index) return;
    this.open();
    this.transport.sendSpeed();
  }

  state() {
    const { coach: { done, step }, props: { lesson, index } } = this;
    return { ...super.state(), lesson, index, ticked: done, goal: step?.goal };
  }
};

const [LessonStage, ComparedStage] = [Stage, CompareStage].map(withCoach);

/** For a run, or for several side by side. */
export const lessonStage = ({ titles }) => (titles.length > 1 ? ComparedStage : LessonStage);

export default keeping((element, data, component) => {
  const props = { ...data, again: again(component), tell: (message) => component.setTriggerValue("told", message) };
  return new (lessonStage(data))(element, props);
}, (data) => `${whose(data)} ${data.titles.length > 1 ? "side by side" : "alone"}`);
