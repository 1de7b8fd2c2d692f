// The curves' numbers: columns of equal length, thinned by half whenever they grow past their limit.

const LIMIT = 1_000;

export class History {
  constructor() {
    this.load({});
  }

  /** Starts from a stored history {name: [number|null]}. */
  load(columns) {
    this.columns = structuredClone(columns);
    for (const name of ["step", "gamma"]) this.columns[name] ??= [];
    this.length = this.columns.step.length;
    this.stride = 1;
    this.since = 0; // points since the last one that stays
    while (this.length > LIMIT) this.thin();
    this.latest = Object.fromEntries(this.length ? Object.entries(this.columns).map(([name, values]) => [name, values[this.length - 1]]) : []);
  }

  /** Adds a point; between kept points the last one is provisional, so the curve's end is always now. */
  append(row) {
    if (row.step < this.columns.step[this.length - 1]) this.load({}); // another run's step 0
    this.latest = { ...this.latest, ...row };
    const same = row.step === this.columns.step[this.length - 1]; // a run at rest is measured again, for another γ
    const replace = same || (this.length > 0 && this.since > 0 && this.since < this.stride);
    const index = replace ? this.length - 1 : this.length;
    if (!same) this.since = this.since >= this.stride ? 1 : this.since + 1;
    this.length = index + 1;
    for (const name of Object.keys(row)) this.columns[name] ??= new Array(index).fill(null);
    for (const [name, values] of Object.entries(this.columns)) values[index] = row[name] ?? null;
    if (this.length > LIMIT) this.thin();
  }

  thin() {
    for (const [name, values] of Object.entries(this.columns)) {
      this.columns[name] = values.filter((_, i) => i % 2 === 0 || i === values.length - 1);
    }
    this.length = this.columns.step.length;
    this.stride *= 2;
    this.since = 0;
  }
}
