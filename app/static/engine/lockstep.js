// The trainers of a group of runs as one: all have done the same number of steps, whenever one looks. As `lpc_core.engine.lockstep`.

import { Trainer } from "./trainer.js";

/** What a trainer takes, of the run of that number in what `app.offline.pack` writes, decoded. */
export function ofRun({ info: { runs, mean, std }, tensors }, number) {
  const own = runs[number].parameters.map((name) => [name, tensors[`${number}.${name}`]]);
  return { info: { ...runs[number], mean, std }, tensors: { ...tensors, ...Object.fromEntries(own) } };
}

export class Lockstep {
  constructor(pack) {
    const { runs, follows } = pack.info;
    this.members = runs.map((_, i) => new Trainer(ofRun(pack, i)));
    this.followers = this.members.filter((_, i) => follows[i]);
    this.leader = Math.max(follows.indexOf(true), 0); // the first whose γ follows the hand
  }

  /** Steps done by all that have not diverged. */
  get step() {
    const alive = this.members.filter(({ diverged }) => !diverged);
    return Math.max(...(alive.length ? alive : this.members).map(({ step }) => step));
  }

  get limit() {
    return Math.max(...this.members.map(({ limit }) => limit));
  }

  get finished() {
    return !this.diverged && this.members.every(({ finished, diverged }) => finished || diverged);
  }

  get diverged() {
    return this.members.every(({ diverged }) => diverged);
  }

  /** Why none of them can go on. */
  get reason() {
    return this.diverged ? this.members[this.leader].reason : "";
  }

  hold(gamma) {
    for (const { gamma: driver } of this.followers) driver.hold(gamma);
  }

  release() {
    for (const { gamma: driver } of this.followers) driver.release();
  }

  setRate(value) {
    for (const member of this.members) member.baseRate = value;
  }

  extend() {
    for (const member of this.members) member.extend();
  }

  /** Up to `steps` steps of all, one each in turn, fewer when `late()` after one; how many. */
  advance(steps, late = () => false) {
    if (this.members.length === 1) return this.members[0].advance(steps, late);
    let done = 0;
    while (done < steps && !this.finished && !this.diverged) {
      for (const member of this.members) member.advance(1);
      done += 1;
      if (late()) break;
    }
    return done;
  }
}
