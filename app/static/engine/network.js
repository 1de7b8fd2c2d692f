// An MLP on flat float64 buffers, forward and backward: hidden layers, the penultimate one, a linear head. As `lpc_core.engine.fused`.

import { ACTIVATIONS } from "./activations.js";
import { addToRows, multiply, sumRows } from "./products.js";

export class Network {
  /** `shapes`: [n, m] of every weight, the head's last; `values`: all weights and biases in that order, each followed by its bias. */
  constructor(shapes, values, { activation, penultimate }) {
    Object.assign(this, { values, gradients: new Float64Array(values.length), act: ACTIVATIONS[activation] });
    this.layers = [];
    let at = 0;
    for (const [n, m] of shapes) {
      const part = (flat) => ({ weight: flat.subarray(at, at + n * m), bias: flat.subarray(at + n * m, at + n * m + n) });
      this.layers.push({ at, n, m, ...part(values), gradient: part(this.gradients) });
      at += n * m + n;
    }
    this.head = this.layers.at(-1);
    this.headStart = at - this.head.n * (this.head.m + 1);
    this.backbone = this.layers.slice(0, penultimate === "none" ? -1 : -2);
    this.straight = penultimate === "linear" ? shapes.length - 2 : -1; // the layer without activation
    [this.width, this.d, this.K] = [shapes[0][1], this.head.m, this.head.n];
  }
}

/** Buffers for up to `size` samples at once; nothing is allocated after that. */
export class Pass {
  constructor(network, size) {
    const wide = (n) => new Float64Array(size * n);
    Object.assign(this, { network, size, inputs: wide(network.width), logits: wide(network.K) });
    this.nodes = network.layers.slice(0, -1).map(({ n }) => ({ value: wide(n), slope: wide(n), gradient: wide(n) }));
    this.latents = this.nodes.at(-1)?.value ?? this.inputs; // (size, d)
    this.above = wide(network.K); // the loss's gradient at the logits
  }

  /** Latents and logits of the first `count` samples of `inputs`. */
  forward(count) {
    const { network, nodes } = this;
    let below = this.inputs;
    for (let i = 0; i < nodes.length; i++) {
      const { value, slope } = nodes[i];
      const { n } = network.layers[i];
      this.apply(value, below, network.layers[i], count);
      if (i !== network.straight) network.act(value, slope, count * n);
      below = value;
    }
    this.apply(this.logits, below, network.head, count);
  }

  apply(out, below, { n, m, weight, bias }, count) {
    multiply(out, below, weight, count, n, m, m, 1, 1, m);
    addToRows(out, bias, count, n);
  }

  /** From `above`, the gradient at the logits, to that of every parameter; the penalty adds `pull` z at the latents. */
  backward(pull) {
    const { network: { layers, straight }, nodes, size } = this;
    let gradient = this.above;
    for (let i = layers.length - 1; i >= 0; i--) {
      const { n, m, weight, gradient: own } = layers[i];
      multiply(own.weight, gradient, i ? nodes[i - 1].value : this.inputs, n, m, size, 1, n, m, 1);
      sumRows(own.bias, gradient, size, n);
      if (!i) return;
      const { value, slope, gradient: lower } = nodes[i - 1];
      multiply(lower, gradient, weight, size, m, n, n, 1, m, 1);
      const all = size * m;
      if (i === layers.length - 1) for (let k = 0; k < all; k++) lower[k] += pull * value[k];
      if (i - 1 !== straight) for (let k = 0; k < all; k++) lower[k] *= slope[k];
      gradient = lower;
    }
  }
}
