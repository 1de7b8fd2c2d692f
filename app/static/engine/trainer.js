// One run: its network, optimiser, data stream and γ; it steps, and looks at itself. As `lpc_core.engine.trainer`, in float64.

import { Balance } from "./balance.js";
import { Batches } from "./batches.js";
import { crossEntropy } from "./entropy.js";
import { LatentSet, measured } from "./metrics.js";
import { Network, Pass } from "./network.js";
import { Optimizer } from "./optimizers.js";
import { inputsOf, rowsOf } from "./samples.js";
import { GammaDriver, rateAt } from "./schedules.js";

const CHECK_EVERY = 100; // steps between looks at whether the run is still finite
const PIECE = 128; // samples looked at at once: their buffers stay near a processor

export class Trainer {
  /** Its part of the pack (`ofRun`): {info: {config, parameters, mean, std, theory}, tensors}. */
  constructor({ info, tensors }) {
    const { config, parameters, mean, std } = info;
    Object.assign(this, { config, theory: info.theory, step: 0, limit: config.steps, lr: config.lr, baseRate: config.lr, reason: "" });
    const flat = parameters.map((name) => tensors[name]);
    const shapes = flat.filter(({ shape }) => shape.length === 2).map(({ shape }) => shape);
    this.network = new Network(shapes, Float64Array.from(flat.flatMap(({ data }) => [...data])), config);
    const { width, d, K } = this.network;
    Object.assign(this, { d, K, inputs: inputsOf(tensors.train_inputs, mean, std), labels: tensors.train_labels.data });
    const probe = tensors.probe.data;
    this.probe = {
      inputs: rowsOf(this.inputs, width, probe), labels: Uint8Array.from(probe, (row) => this.labels[row]),
      testInputs: inputsOf(tensors.test_inputs, mean, std), testLabels: tensors.test_labels.data,
    };
    this.optimizer = new Optimizer(config, this.network);
    this.batches = new Batches(this.labels.length, config.batch_size, config.seed);
    this.gamma = new GammaDriver(config);
    this.pass = new Pass(this.network, this.batches.size);
    this.batchLabels = new Uint8Array(this.batches.size);
    this.look = { // memory for what the samples of the probe are answered
      pass: new Pass(this.network, PIECE), latents: new Float64Array(probe.length * d), logits: new Float64Array(probe.length * K),
      predictions: new Uint8Array(probe.length + this.probe.testLabels.length),
    };
    this.solved = []; // collapse points of the last two looks, the latter first
    this.keep();
  }

  get finished() {
    return this.step >= this.limit;
  }

  get diverged() {
    return this.reason !== "";
  }

  extend() {
    this.limit = this.step + this.config.steps;
  }

  /** Up to `steps` steps, fewer when `late()` after one of them; how many. */
  advance(steps, late = () => false) {
    let done = 0;
    while (done < steps && !this.finished && !this.diverged) {
      const loss = this.train();
      done += 1;
      if (this.step % CHECK_EVERY === 0 || this.finished) this.check(loss);
      if (late()) break;
    }
    return done;
  }

  /** One step; the loss before it. Nothing is allocated here, but by Muon. */
  train() {
    const { config, pass, batches, network, batchLabels, K } = this;
    this.lr = rateAt(config, this.baseRate, this.step, config.steps);
    this.step += 1;
    const gamma = this.gammaSum(this.gamma.advance());
    this.draw();
    pass.forward(batches.size);
    const loss = crossEntropy(pass.logits, batchLabels, batches.size, K, config.label_smoothing, pass.above);
    pass.backward((2 * gamma) / batches.size);
    this.optimizer.step(network.gradients, this.lr);
    return loss;
  }

  /** The next batch into the pass's inputs. */
  draw() {
    const { inputs, labels, batches, batchLabels, network: { width }, pass } = this;
    for (let i = 0, at = 0; i < batches.size; i++) {
      const row = batches.next();
      batchLabels[i] = labels[row];
      for (let k = row * width, end = k + width; k < end; k++, at++) pass.inputs[at] = inputs[k];
    }
  }

  /** γ as the factor of ‖z‖², the paper's. */
  gammaSum(gamma) {
    return this.config.convention === "mean" ? gamma / this.d : gamma;
  }

  // ---- going back -------------------------------------------------------------------------------------------------

  /** Keeps this state if all of it is finite, else goes back to the last that was and says so. */
  check(loss) {
    if (Number.isFinite(loss) && this.network.values.every(Number.isFinite)) return this.keep();
    const { step, lr, gamma: { value } } = this;
    this.goBack();
    const count = (number) => number.toLocaleString("en-US");
    this.reason = `The run diverged before step ${count(step)} (lr ${+lr.toPrecision(6)}, γ ${+value.toPrecision(6)}): a loss or weight was no longer finite. ` +
      `Shown is its last good state, step ${count(this.step)}. Try a smaller learning rate.`;
  }

  keep() {
    const { network: { values }, optimizer: { slots, count }, batches, gamma, step, limit } = this;
    this.good = { values: values.slice(), slots: slots.map((slot) => slot.slice()), count, batches: batches.state(), gamma: { ...gamma }, step, limit };
  }

  goBack() {
    const { values, slots, count, batches, gamma, step, limit } = this.good;
    this.network.values.set(values);
    this.optimizer.slots.forEach((slot, i) => slot.set(slots[i]));
    this.optimizer.count = count;
    this.batches.restore(batches);
    Object.assign(this.gamma, gamma);
    Object.assign(this, { step, limit, solved: [], lr: rateAt(this.config, this.baseRate, Math.max(step - 1, 0), this.config.steps) });
  }

  // ---- looking ----------------------------------------------------------------------------------------------------

  /** The probe's samples now; without `measure` only what is needed to draw them. `target`: predict for the γ that is asked for. */
  snapshot(measure, target = false) {
    this.answer(measure);
    const { look: { latents, logits, predictions }, probe: { labels }, gamma, K, network: { head }, config } = this;
    if (!this.diverged && !(latents.every(Number.isFinite) && logits.every(Number.isFinite))) {
      this.check(NaN);
      return this.snapshot(measure, target);
    }
    const set = new LatentSet({ latents, labels, predictions: predictions.subarray(0, labels.length), weight: head.weight, collapse_points: null, K });
    const [{ means }, gammaNow] = [set.own, this.gammaSum(gamma.value)];
    Object.assign(set, this.predict(means, gammaNow, true));
    const asked = this.gammaSum(gamma.target);
    if (target && asked !== gammaNow) Object.assign(set, this.predict(means, asked, false));
    const { metrics, node_peak_distance } = measure ? measured(set) : { metrics: {}, node_peak_distance: null }; // of the prediction that is drawn
    if (measure) Object.assign(metrics, this.losses(set, gammaNow));
    return {
      ...set, step: this.step, gamma: gamma.value, gamma_sum: gammaNow, gamma_target: gamma.target, gamma_mode: gamma.mode, lr: this.lr, head_lr: config.head_lr,
      means, bias: head.bias, metrics, node_peak_distance, reason: this.reason,
    };
  }

  /** Where the theory puts the classes' points for γ, and the forces at their means; null where it does not apply. */
  predict(means, gamma, remember) {
    if (!this.theory) return { collapse_points: null, forces: null };
    const { network: { head }, config, solved: [last, before] } = this;
    const balance = new Balance(head.weight, head.bias, gamma, config.label_smoothing);
    const points = gamma > 0 ? balance.points(before && remember ? last.map((value, i) => 2 * value - before[i]) : (last ?? null)) : null;
    if (points && remember) this.solved = [points, this.solved[0]].filter(Boolean);
    return { collapse_points: points, forces: balance.forces(means) };
  }

  /** The network's answers to the probe, and to the test samples if wanted. */
  answer(test) {
    const { probe, look: { pass, latents, logits, predictions }, d, K } = this;
    const n = probe.labels.length;
    this.decide(probe.inputs, predictions.subarray(0, n), (at, size) => {
      latents.set(pass.latents.subarray(0, size * d), at * d);
      logits.set(pass.logits.subarray(0, size * K), at * K);
    });
    if (test) this.decide(probe.testInputs, predictions.subarray(n));
  }

  /** Writes the class given now to each of `inputs` (count · width) into `found` (count), piece by piece; `seen(at, size)` may look at each. */
  decide(inputs, found, seen = () => {}) {
    const { look: { pass }, network: { width } } = this;
    for (let at = 0; at < found.length; at += PIECE) {
      const size = Math.min(PIECE, found.length - at);
      pass.inputs.set(inputs.subarray(at * width, (at + size) * width));
      pass.forward(size);
      for (let i = 0; i < size; i++) found[at + i] = this.winner(i);
      seen(at, size);
    }
    return found;
  }

  /** The class of the largest logit of the i-th sample in the pass. */
  winner(i) {
    const { K, look: { pass: { logits } } } = this;
    let best = 0;
    for (let k = 1; k < K; k++) if (logits[i * K + k] > logits[i * K + best]) best = k;
    return best;
  }

  losses({ norms, n }, gamma) {
    const { look: { logits, predictions }, probe: { labels, testLabels }, K, config } = this;
    const ce = crossEntropy(logits, labels, n, K, config.label_smoothing, new Float64Array(n * K));
    const penalty = (gamma * norms.reduce((sum, norm) => sum + norm * norm, 0)) / n;
    const right = (known, from) => known.reduce((sum, label, i) => sum + (predictions[from + i] === label), 0) / known.length;
    return { loss: ce + penalty, ce, penalty, train_accuracy: right(labels, 0), test_accuracy: right(testLabels, n) };
  }
}
