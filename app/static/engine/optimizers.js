// AdamW, Adam, SGD and Muon on one flat buffer, number for number as in `torch.optim` and `lpc_core.optimizers`.

import { multiply } from "./products.js";

const EPSILON = 1e-8; // torch's default
const QUINTIC = [3.4445, -4.775, 2.0315];
const SMALLEST = 1e-7;

/** `slots` are what an optimiser remembers of each parameter; `move(o, g, lr, from, to)` changes values[from…to]. */
const KINDS = {
  adamw: { slots: 2, move: adam },
  adam: { slots: 2, move: adam },
  sgd: { slots: 1, move: sgd },
  muon: { slots: 2, move: muon },
};

export class Optimizer {
  /** Parameters before `head` have the rate that `step` is given, the others the head's own. */
  constructor(config, { values, headStart: head, backbone }) {
    const { optimizer, head_lr: headRate, momentum, beta2, weight_decay: decay } = config;
    const { slots, move } = KINDS[optimizer];
    Object.assign(this, { config, move, values, head, headRate, momentum, beta2, decay, matrices: backbone, count: 0 });
    this.slots = Array.from({ length: slots }, () => new Float64Array(values.length));
  }

  step(gradients, lr) {
    this.count += 1;
    this.move(this, gradients, lr, 0, this.head);
    this.move(this, gradients, this.headRate, this.head, this.values.length);
  }
}

/** Kingma & Ba 2015; but for "adam" itself the weight decay is Loshchilov & Hutter's (2019). */
function adam({ config: { optimizer }, values, slots: [first, second], momentum, beta2, decay, count }, gradients, lr, from, to) {
  const rate = lr / (1 - momentum ** count);
  const root = Math.sqrt(1 - beta2 ** count);
  const [shrink, pull] = optimizer === "adam" ? [1, decay] : [1 - lr * decay, 0];
  for (let i = from; i < to; i++) {
    const value = values[i] * shrink;
    const gradient = gradients[i] + pull * value;
    const m = (first[i] += (1 - momentum) * (gradient - first[i]));
    const v = (second[i] = beta2 * second[i] + (1 - beta2) * gradient * gradient);
    values[i] = value - (rate * m) / (Math.sqrt(v) / root + EPSILON);
  }
}

function sgd({ values, slots: [buffer], momentum, decay }, gradients, lr, from, to) {
  for (let i = from; i < to; i++) {
    buffer[i] = momentum * buffer[i] + gradients[i] + decay * values[i];
    values[i] -= lr * buffer[i];
  }
}

/** Jordan 2024: the backbone's matrices in directions of equal size, everything else by AdamW. */
function muon(optimizer, gradients, lr, from, to) {
  let rest = from;
  for (const matrix of optimizer.matrices) {
    if (matrix.at < from || matrix.at >= to) continue;
    adam(optimizer, gradients, lr, rest, matrix.at);
    turn(optimizer, gradients, lr, matrix);
    rest = matrix.at + matrix.n * matrix.m;
  }
  adam(optimizer, gradients, lr, rest, to);
}

function turn({ values, slots: [buffer], config: { lr: first, muon_lr: own, muon_momentum: keep, muon_steps: times }, decay }, gradients, lr, { at, n, m }) {
  const push = new Float64Array(n * m);
  for (let i = 0; i < push.length; i++) {
    const gradient = gradients[at + i];
    buffer[at + i] = keep * buffer[at + i] + gradient;
    push[i] = gradient + keep * buffer[at + i];
  }
  orthogonalised(push, n, m, times);
  const rate = lr * (own / first);
  const size = rate * Math.sqrt(Math.max(1, n / m));
  for (let i = 0; i < push.length; i++) values[at + i] = values[at + i] * (1 - rate * decay) - size * push[i];
}

/** Newton–Schulz iterations: x (n, m), row by row, becomes in place a matrix with all its singular values near 1, as `lpc_core.optimizers.muon`. */
export function orthogonalised(x, n, m, times) {
  const size = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0)) + SMALLEST;
  for (let i = 0; i < x.length; i++) x[i] /= size;
  const k = Math.min(n, m); // x as (k, l), its columns and rows exchanged where it is high
  const l = Math.max(n, m);
  const [along, across] = n <= m ? [m, 1] : [1, m];
  const [gram, square, pulled] = [new Float64Array(k * k), new Float64Array(k * k), new Float64Array(k * l)];
  const [a, b, c] = QUINTIC;
  for (let step = 0; step < times; step++) {
    multiply(gram, x, x, k, k, l, along, across, across, along);
    multiply(square, gram, gram, k, k, k, k, 1, k, 1);
    for (let i = 0; i < gram.length; i++) gram[i] = b * gram[i] + c * square[i];
    multiply(pulled, gram, x, k, l, k, k, 1, along, across);
    for (let i = 0; i < k; i++) for (let j = 0; j < l; j++) x[i * along + j * across] = a * x[i * along + j * across] + pulled[i * l + j];
  }
}
