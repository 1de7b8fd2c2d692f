// What is pointed at and chosen among a run's samples, in one place: inputs, latents and histograms show the same.

/** The flags of `count` samples of which `indices` are meant; null for none. */
export function flagsOf(count, indices) {
  const flags = new Uint8Array(count);
  for (const i of indices) flags[i] = 1; // one that is out of range changes nothing
  return flags.includes(1) ? flags : null;
}

/** How many of the flagged samples each class has, as [class, count] for the classes that have any. */
export function countsOf(flags, labels) {
  const counts = new Map();
  flags.forEach((flag, i) => flag && counts.set(labels[i], (counts.get(labels[i]) ?? 0) + 1));
  return [...counts].sort(([a], [b]) => a - b);
}

export class Linked {
  constructor() {
    Object.assign(this, { hearers: [], count: 0 });
    this.forget();
  }

  forget() {
    Object.assign(this, { pointed: -1, glanced: null, chosen: null });
  }

  /** Another run's samples. */
  open(count) {
    this.count = count;
    this.forget();
    this.said();
  }

  hear(hearer) {
    this.hearers.push(hearer);
  }

  said() {
    for (const hearer of this.hearers) hearer();
  }

  set(part, value) {
    if (this[part] === value) return;
    this[part] = value;
    this.said();
  }

  /** One sample under a pointer; −1 for none. */
  point(index) {
    this.set("pointed", index);
  }

  /** Several at once, as long as the pointer stays: flags, or null. */
  glance(flags) {
    this.set("glanced", flags);
  }

  /** Those that stay marked when the pointer has gone: flags, or null for all alike. */
  choose(flags) {
    this.set("chosen", flags);
  }

  /** The samples to be seen before the others, or null. */
  get flags() {
    return this.glanced ?? this.chosen;
  }

  get active() {
    return this.pointed >= 0 || this.flags !== null;
  }
}
