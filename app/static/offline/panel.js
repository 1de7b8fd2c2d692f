// One run of a group as the page sees it: its camera, its sentence, its next picture; as `app.training.panel`.

import { Camera } from "./camera.js";
import { atChance, sentence } from "./narrate.js";
import { picture } from "./picture.js";

const CELLS = 48; // places each way of the plane of the inputs

export class Panel {
  /** `opening`: what a setup says of the run. The first look comes at once. */
  constructor(trainer, opening) {
    Object.assign(this, { trainer, opening, camera: new Camera(trainer.d), measured: null, learnt: false });
    this.look(true, false);
  }

  /** Standing still, it predicts for the γ the hand asks for, which no step has reached yet. */
  look(measure, running, regions = false) {
    const { trainer, opening } = this;
    const snapshot = trainer.snapshot(measure, !running);
    this.regions = measure && regions ? regionsOf(opening.inputs, trainer) : null;
    if (measure) {
      const { K, metrics: { train_accuracy: accuracy } } = snapshot;
      this.learnt ||= accuracy <= 1 && !atChance(accuracy, K);
      this.sentence = sentence(snapshot, this.measured, this.learnt);
      this.measured = snapshot;
    } else snapshot.node_peak_distance = this.measured.node_peak_distance;
    this.last = snapshot;
  }

  /** What was last looked at, as a frame's part. */
  picture(view, state) {
    const { info, tensors } = picture(this.last, this.camera.look(view, this.last.latents), view.bins);
    Object.assign(info, { sentence: this.sentence, state: this.trainer.diverged ? "diverged" : state });
    return { info, tensors: this.regions ? { ...tensors, regions: this.regions } : tensors };
  }

  /** What a page must know of this run before its first frame; `inputs`: where its samples lie, if they lie in a plane. */
  begin(inputs) {
    const { opening, last: { step, gamma, metrics }, trainer: { probe: { labels } } } = this;
    const history = Object.fromEntries(Object.entries({ step, gamma, ...metrics }).map(([name, value]) => [name, [Number.isFinite(value) ? value : null]]));
    return { info: { ...opening, history }, tensors: { labels: { data: labels, shape: [labels.length] }, ...(inputs && { inputs }) } };
  }
}

/** The class the network gives the middle of each cell, the top row first, as a tensor; null where the inputs are no plane. As `app.training.inputs`. */
export function regionsOf({ kind, window }, trainer) {
  if (kind !== "plane") return null;
  const [x, y, half] = window;
  const step = (i) => half * (((i + 0.5) / CELLS) * 2 - 1);
  const places = Float64Array.from({ length: 2 * CELLS * CELLS }, (_, i) => {
    const cell = i >> 1;
    return Math.fround(i % 2 ? y - step(Math.floor(cell / CELLS)) : x + step(cell % CELLS));
  });
  return { data: trainer.decide(places, new Uint8Array(CELLS * CELLS)), shape: [CELLS, CELLS] };
}
