// What `benchmarks.offline` compares with: the same step as plainly as it can be written, loops over typed arrays and a new one for every result.

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** (B, n): inputs (B, m) times the transpose of the weights (n, m), plus the bias. */
function applied(inputs, { n, m, weight, bias }, B) {
  const out = new Float64Array(B * n);
  for (let b = 0; b < B; b++) {
    for (let j = 0; j < n; j++) {
      let sum = bias[j];
      for (let k = 0; k < m; k++) sum += inputs[b * m + k] * weight[j * m + k];
      out[b * n + j] = sum;
    }
  }
  return out;
}

/** [(n, m), (n)]: what the gradient (B, n) above a layer makes of its weights and biases. */
function learned(gradient, inputs, { n, m }, B) {
  const [weight, bias] = [new Float64Array(n * m), new Float64Array(n)];
  for (let b = 0; b < B; b++) {
    for (let j = 0; j < n; j++) {
      bias[j] += gradient[b * n + j];
      for (let k = 0; k < m; k++) weight[j * m + k] += gradient[b * n + j] * inputs[b * m + k];
    }
  }
  return [weight, bias];
}

/** (B, m): the gradient below a layer. */
function passed(gradient, { n, m, weight }, B) {
  const out = new Float64Array(B * m);
  for (let b = 0; b < B; b++) for (let j = 0; j < n; j++) for (let k = 0; k < m; k++) out[b * m + k] += gradient[b * n + j] * weight[j * m + k];
  return out;
}

export class Naive {
  /** layers: [{n, m, weight (n · m), bias (n)}], the head last; SiLU on all but the last two. */
  constructor(layers, { lr, head_lr: headRate, momentum, beta2, weight_decay: decay }) {
    Object.assign(this, { layers, lr, headRate, momentum, beta2, decay, count: 0 });
    this.memory = layers.map(({ weight, bias }) => [weight, bias].map(({ length }) => [new Float64Array(length), new Float64Array(length)]));
  }

  /** One step of AdamW on inputs (B · m) with labels; γ in the paper's convention. */
  step(inputs, labels, gamma) {
    const { layers } = this;
    const B = labels.length;
    const [before, after] = [[], [inputs]];
    layers.forEach((layer, i) => {
      before.push(applied(after[i], layer, B));
      after.push(i < layers.length - 2 ? before[i].map((x) => x * sigmoid(x)) : before[i]);
    });
    let gradient = this.slope(after.at(-1), labels);
    const found = [];
    for (let i = layers.length - 1; i >= 0; i--) {
      found[i] = learned(gradient, after[i], layers[i], B);
      if (!i) break;
      gradient = passed(gradient, layers[i], B);
      if (i === layers.length - 1) gradient = gradient.map((g, at) => g + (2 * gamma * after[i][at]) / B);
      else gradient = gradient.map((g, at) => g * sigmoid(before[i - 1][at]) * (1 + before[i - 1][at] * (1 - sigmoid(before[i - 1][at]))));
    }
    this.update(found);
  }

  /** Of cross-entropy, at the logits. */
  slope(logits, labels) {
    const K = logits.length / labels.length;
    const powers = logits.map(Math.exp);
    return powers.map((power, at) => {
      const [b, k] = [Math.floor(at / K), at % K];
      return (power / powers.subarray(b * K, (b + 1) * K).reduce((sum, one) => sum + one, 0) - (k === labels[b] ? 1 : 0)) / labels.length;
    });
  }

  update(found) {
    this.count += 1;
    this.layers.forEach(({ weight, bias }, i) => {
      const rate = i === this.layers.length - 1 ? this.headRate : this.lr;
      [weight, bias].forEach((values, part) => values.forEach((value, at) => {
        const [first, second] = this.memory[i][part];
        const gradient = found[i][part][at];
        first[at] = this.momentum * first[at] + (1 - this.momentum) * gradient;
        second[at] = this.beta2 * second[at] + (1 - this.beta2) * gradient * gradient;
        const step = first[at] / (1 - this.momentum ** this.count) / (Math.sqrt(second[at] / (1 - this.beta2 ** this.count)) + 1e-8);
        values[at] = value * (1 - rate * this.decay) - rate * step;
      }));
    });
  }
}
