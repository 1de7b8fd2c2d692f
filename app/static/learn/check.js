// Judges a lesson's check on what a run has measured; `app/lessons/_check.py` writes the conditions and judges alike.

/** What was measured of one run: the last value of every metric, and the largest and smallest so far. */
export class Seen {
  /** After `columns` {name: [number | null]} of equal length, as a setup brings them. */
  constructor(columns = {}) {
    Object.assign(this, { now: {}, largest: {}, smallest: {} });
    (columns.step ?? []).forEach((_, i) => this.add(Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column[i]]))));
  }

  /** A measured moment: {name: number | null}. */
  add(row) {
    this.now = row;
    for (const [name, value] of Object.entries(row)) {
      if (!Number.isFinite(value)) continue;
      this.largest[name] = Math.max(this.largest[name] ?? -Infinity, value);
      this.smallest[name] = Math.min(this.smallest[name] ?? Infinity, value);
    }
  }

  value({ name, when }) {
    return this[when][name] ?? NaN;
  }
}

const valueOf = (value, runs) => runs[value.run]?.value(value) ?? NaN;

/** {now, bound, holds} of a condition; NaN is neither above nor below anything. */
export function judge({ value, sign, bound, of }, runs) {
  const now = valueOf(value, runs);
  const limit = of ? bound * valueOf(of, runs) : bound;
  return { now, bound: limit, holds: sign === "<" ? now < limit : now > limit };
}

/** Whether all conditions hold at the last moment of `runs`. */
export function met(check, runs) {
  return check.every((condition) => judge(condition, runs).holds);
}
