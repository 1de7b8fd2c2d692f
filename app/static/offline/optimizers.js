// AdamW, Adam and SGD on one flat buffer, number for number as in `torch.optim`.

const EPSILON = 1e-8; // torch's default

/** `slots` are what an optimiser remembers of each parameter; `move(o, g, lr, from, to)` changes values[from…to]. */
const KINDS = {
  adamw: { slots: 2, move: (optimizer, gradients, lr, from, to) => adam(optimizer, gradients, lr, from, to, true) },
  adam: { slots: 2, move: (optimizer, gradients, lr, from, to) => adam(optimizer, gradients, lr, from, to, false) },
  sgd: { slots: 1, move: sgd },
};

export class Optimizer {
  /** Parameters before `head` have the rate that `step` is given, the others the head's own. */
  constructor({ optimizer, head_lr: headRate, momentum, beta2, weight_decay: decay }, values, head) {
    const { slots, move } = KINDS[optimizer];
    Object.assign(this, { move, values, head, headRate, momentum, beta2, decay, count: 0 });
    this.slots = Array.from({ length: slots }, () => new Float64Array(values.length));
  }

  step(gradients, lr) {
    this.count += 1;
    this.move(this, gradients, lr, 0, this.head);
    this.move(this, gradients, this.headRate, this.head, this.values.length);
  }
}

/** Kingma & Ba 2015; `decoupled`, the weight decay is Loshchilov & Hutter's (2019). */
function adam({ values, slots: [first, second], momentum, beta2, decay, count }, gradients, lr, from, to, decoupled) {
  const rate = lr / (1 - momentum ** count);
  const root = Math.sqrt(1 - beta2 ** count);
  const [shrink, pull] = decoupled ? [1 - lr * decay, 0] : [1, decay];
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
