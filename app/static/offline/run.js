// One session: hears the page's messages, trains, and posts setups and frames when they are due; as `app.training.run` and its worker.

import { encode, encodeGroup } from "./encode.js";
import { Lockstep } from "../engine/lockstep.js";
import { RateMeter, StepBudget, frameInterval, metricsInterval, smoothed } from "./pacing.js";
import { Panel } from "./panel.js";

const SPEED = 300; // steps per second, until the reader says otherwise
const WINDOW = 2; // frames under way that the page has not acknowledged
const LEADER = ["gamma", "gamma_sum", "gamma_target", "gamma_mode", "lr", "head_lr"]; // what the runs say as one

export class Run {
  /** `pack` as `Lockstep` takes it; post(buffer) sends a message to the page; clock() in seconds. */
  constructor(pack, post, clock) {
    Object.assign(this, { pack, post, clock, run: 0, frame: 0, seq: 0, playing: true, remaining: Infinity, unacked: [] });
    this.view = { projection: "nodes", nodes: [0, 1], dims: 2, large: [0, 1] };
    Object.assign(this, { budget: new StepBudget(SPEED, clock()), meter: new RateMeter(clock()), cost: { frame: 0, metrics: 0 } }); // seconds
  }

  /** At step 0, told to the page. */
  begin() {
    this.trainer = new Lockstep(this.pack);
    this.panels = this.trainer.members.map((member, i) => new Panel(member, this.pack.info.runs[i].opening));
    this.run += 1;
    Object.assign(this, { remaining: Infinity, drawn: -1, due: 0, dueMetrics: 0 });
    this.meter.stop(this.clock());
    this.touch(true);
    this.sendSetup();
  }

  /** What the page may say, as `app.live.messages`. */
  hear(message) {
    const { trainer } = this;
    const actions = {
      hello: () => this.begin(),
      ack: ({ frame }) => (this.unacked = this.unacked.filter((sent) => sent > frame)),
      view: (view) => {
        this.touch(view.regions && !this.view.regions);
        this.view = view;
      },
      speed: ({ steps_per_second: rate }) => this.budget.setRate(rate, this.clock()),
      play: () => this.play(Infinity),
      step: ({ count = 1 }) => this.play(this.remaining === Infinity ? count : this.remaining + count),
      pause: () => Object.assign(this, { playing: false, remaining: Infinity }) && this.meter.stop(this.clock()),
      reset: () => {
        this.playing = true;
        this.begin();
      },
      gamma: ({ value, seq }) => {
        trainer.hold(value);
        this.seq = seq;
        if (trainer.finished && this.playing) trainer.extend();
      },
      auto: () => trainer.release(),
      lr: ({ value }) => trainer.setRate(value),
      thumbs: () => this.sendThumbs(),
    };
    if (!Object.hasOwn(actions, message.type)) return;
    actions[message.type](message);
    if (["play", "step", "pause", "gamma", "auto", "lr"].includes(message.type)) this.touch(true);
  }

  play(steps) {
    Object.assign(this, { playing: true, remaining: steps });
    if (this.trainer.finished) this.trainer.extend();
  }

  get state() {
    if (this.trainer.diverged) return "diverged";
    return this.trainer.finished ? "finished" : this.playing ? "running" : "paused";
  }

  /** One turn of at most `quantum` seconds of training and what is due of frames; seconds until the next, Infinity when it waits for the page. */
  turn(quantum) {
    if (!this.trainer) return Infinity;
    const begun = this.clock();
    this.train(begun, quantum);
    const now = this.clock();
    if (this.wantsFrame() && this.due <= now) this.sendFrame(now);
    return this.wait(this.clock());
  }

  train(begun, quantum) {
    const steps = Math.min(this.budget.allowance(begun), this.remaining);
    if (this.state !== "running" || steps < 1) return;
    const done = this.trainer.advance(steps, () => this.clock() >= begun + quantum);
    this.budget.spend(done);
    this.meter.add(done, this.clock());
    this.remaining -= done;
    if (this.remaining <= 0) Object.assign(this, { playing: false, remaining: Infinity });
    if (this.state === "running") return;
    this.touch(true);
    this.meter.stop(this.clock());
  }

  wait(now) {
    let due = Infinity;
    if (this.state === "running") due = this.budget.allowance(now) >= 1 ? 0 : this.budget.wait();
    return this.wantsFrame() ? Math.min(due, Math.max(0, this.due - now)) : due;
  }

  /** Something besides the step has changed; `measure`, and the next frame is to bring metrics. */
  touch(measure) {
    this.dirty = true;
    this.measure ||= measure;
  }

  wantsFrame() {
    return (this.dirty || this.trainer.step !== this.drawn) && this.unacked.length < WINDOW;
  }

  sendFrame(begun) {
    const measure = this.measure || begun >= this.dueMetrics;
    const { panels, view, run, seq, meter, trainer } = this;
    const running = this.state === "running";
    for (const panel of panels) panel.look(measure, running, view.regions); // which may find that one has diverged
    const { state } = this;
    const { step, limit, reason, leader } = trainer;
    const parts = panels.map((panel) => panel.picture(view, state));
    this.frame += 1;
    this.unacked.push(this.frame);
    const group = { ...Object.fromEntries(LEADER.map((name) => [name, parts[leader].info[name]])), run, frame: this.frame, step, steps: limit, gamma_seq: seq, state, reason };
    this.post(encodeGroup("frame", { ...group, steps_per_s: state === "running" ? meter.rate : 0 }, parts));
    this.paid(begun, measure, step);
  }

  /** The next frame is due an interval later, the longer the dearer they are. */
  paid(begun, measure, step) {
    const { cost } = this;
    const kind = measure ? "metrics" : "frame";
    cost[kind] = smoothed(cost[kind], this.clock() - begun);
    const every = frameInterval(cost.frame || cost.metrics);
    Object.assign(this, { dirty: false, drawn: step, due: Math.max(this.due + every, begun + every / 2) });
    if (measure) Object.assign(this, { measure: false, dueMetrics: begun + metricsInterval(cost.metrics) });
  }

  sendSetup() {
    const { pack: { info: { titles, follows, catalogue }, tensors: { inputs } }, panels, trainer: { limit: steps, leader }, run, frame } = this;
    const group = { ...panels[leader].opening, run, frame, step: 0, steps, titles, follows, catalogue };
    this.post(encodeGroup("setup", group, panels.map((panel) => panel.begin(inputs))));
  }

  /** The pictures of the probe's samples. */
  sendThumbs() {
    const { data, shape: [, ...shape] } = this.pack.tensors.train_inputs;
    if (!this.pack.info.runs[0].opening.image) return this.post(encode("notice", { level: "info", text: "These samples are not pictures, so there are none to show.", progress: null, state: "" }));
    const rows = this.pack.tensors.probe.data;
    const size = shape.reduce((all, side) => all * side, 1);
    const pixels = new Uint8Array(rows.length * size);
    rows.forEach((row, i) => pixels.set(data.subarray(row * size, (row + 1) * size), i * size));
    return this.post(encode("thumbs", { run: this.run }, { pixels: { data: pixels, shape: [rows.length, ...shape] } }));
  }
}
