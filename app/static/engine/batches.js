// The order of samples: a new permutation per epoch, the remainder carried over; torch's own, so that equal seeds give equal runs.

/** MT19937 (Matsumoto & Nishimura 1998), the generator of torch on a processor. */
class Twister {
  constructor(seed) {
    this.words = new Uint32Array(624);
    this.words[0] = seed;
    for (let i = 1; i < 624; i++) {
      const before = this.words[i - 1];
      this.words[i] = Math.imul(1_812_433_253, before ^ (before >>> 30)) + i;
    }
    this.at = 624;
  }

  /** A whole number of 32 bits. */
  next() {
    if (this.at === 624) this.turn();
    let y = this.words[this.at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  turn() {
    const { words } = this;
    for (let k = 0; k < 624; k++) {
      const y = (words[k] & 0x80000000) | (words[(k + 1) % 624] & 0x7fffffff);
      words[k] = words[(k + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.at = 0;
  }
}

export class Batches {
  /** Batches of `size` out of `count` samples, under `seed`. */
  constructor(count, size, seed) {
    Object.assign(this, { size: Math.min(size, count), random: new Twister(seed), order: new Uint32Array(count) });
    this.shuffle();
  }

  /** As `torch.randperm`: every place takes one of those that are left. */
  shuffle() {
    const { order, random } = this;
    const n = order.length;
    for (let i = 0; i < n; i++) order[i] = i;
    for (let i = 0; i < n - 1; i++) {
      const other = i + (random.next() % (n - i));
      [order[i], order[other]] = [order[other], order[i]];
    }
    this.position = 0;
  }

  /** The number of the next sample. */
  next() {
    if (this.position === this.order.length) this.shuffle();
    return this.order[this.position++];
  }

  /** Where the stream is, and back. */
  state() {
    const { random: { words, at }, order, position } = this;
    return { words: words.slice(), at, order: order.slice(), position };
  }

  restore({ words, at, order, position }) {
    this.random.words.set(words);
    this.random.at = at;
    this.order.set(order);
    this.position = position;
  }
}
