// What is chosen in a point cloud: by hand or by kind, told to the page in a while and to clouds of the same rows at once.

import { flagsOf } from "../kit/linked.js";

const TELL_MS = 150; // between a choice and telling the page of it
const groups = new Map(); // name → clouds of the same rows side by side: what is pointed at or chosen in one is so in the others too

/** Joins `group`; `view` has total, hear(what, value). Returns {tell(what, value), leave()}. */
export function join(group, view) {
  const members = groups.get(group) ?? new Set();
  groups.set(group, members);
  members.add(view);
  return {
    tell: (what, value) => {
      for (const other of members) if (other !== view && other.total === view.total) other.hear(what, value);
    },
    leave: () => {
      members.delete(view);
      if (!members.size) groups.delete(group);
    },
  };
}

export class Choice {
  /** hooks: {tell(report) for the page, changed(), pointed(sample)}; flags are a Uint8Array (n), or null for none. */
  constructor(hooks) {
    Object.assign(this, { hooks, file: null, flags: null, count: 0 });
  }

  /** The samples are there; clouds of the same side by side are those of `group`. */
  open(file, group) {
    this.file = file;
    this.link = group ? join(group, { total: file.info.total, hear: (what, value) => this.hear(what, value) }) : null;
  }

  /** All samples that are "wrong", or the "ambiguous" ones. */
  choose(what) {
    const { n, wrong, info } = this.file;
    this.take(what === "wrong" ? wrong : flagsOf(n, info.ambiguous));
  }

  /** Rows of the file, as far as it has them here. */
  flagsOf(rows) {
    return flagsOf(this.file.n, Array.from(rows, (row) => this.file.sampleOf(row)));
  }

  /** "wrong" or "ambiguous" where these are the ones chosen, else their rows. */
  named() {
    const { file, flags } = this;
    if (!flags) return "";
    const ambiguous = flagsOf(file.n, file.info.ambiguous);
    if (flags.every((flag, i) => flag === file.wrong[i])) return "wrong";
    if (flags.every((flag, i) => flag === ambiguous?.[i])) return "ambiguous";
    return spans(rowsOf(file, flags).sort((a, b) => a - b));
  }

  /** The flagged samples (none: null) instead of, beside, or out of the ones chosen before. */
  take(flags, how = "new") {
    if (!this.file) return;
    this.set(combined(this.flags, flags, how));
    this.link?.tell("chosen", this.flags && rowsOf(this.file, this.flags));
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.hooks.tell({ count: this.count, bits: this.flags ? packed(this.flags) : "" }), TELL_MS);
  }

  set(flags) {
    this.count = flags ? flags.reduce((sum, flag) => sum + flag, 0) : 0;
    this.flags = this.count ? flags : null;
    this.hooks.changed();
  }

  /** The other clouds hear which sample is pointed at; −1 is none. */
  point(i) {
    this.link?.tell("hover", i < 0 ? -1 : this.file.rows[i]);
  }

  /** What another cloud of the same rows says. */
  hear(what, value) {
    if (what === "hover") return this.hooks.pointed(value < 0 ? -1 : this.file.sampleOf(value));
    this.set(this.flagsOf(value ?? []));
  }

  close() {
    clearTimeout(this.telling);
    this.link?.leave();
  }
}

/** `flags` instead of ("new"), beside ("add") or out of ("take") those of `before`. */
export function combined(before, flags, how) {
  if (!flags || !before || how === "new") return flags && (how === "take" ? before : flags);
  return before.map((flag, i) => (how === "add" ? flag | flags[i] : flag & ~flags[i] & 1));
}

/** Growing whole numbers in few words: "3-7,12". */
export function spans(rows) {
  const ends = [];
  for (const row of rows) {
    if (ends.at(-1)?.[1] === row - 1) ends.at(-1)[1] = row;
    else ends.push([row, row]);
  }
  return ends.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join();
}

/** The numbers that `spans` has written. */
export function* numbersIn(text, most) {
  for (const [from, to = from] of text.split(",").map((part) => part.split("-").map(Number))) {
    for (let row = from; row <= Math.min(to, most); row++) yield row;
  }
}

function rowsOf(file, flags) {
  return Array.from(flags.keys()).filter((i) => flags[i]).map((i) => file.rows[i]);
}

/** The samples inside the polygon `path` that are not filtered away, as a bitless Uint8Array (n). */
export function inside(path, x, y, strength, n) {
  const chosen = new Uint8Array(n);
  const xs = path.map((point) => point[0]);
  const ys = path.map((point) => point[1]);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  for (let i = 0; i < n; i++) {
    if (!strength[i] || !(x[i] >= left && x[i] <= right && y[i] >= top && y[i] <= bottom)) continue;
    chosen[i] = Number(crossings(xs, ys, x[i], y[i]) % 2 === 1);
  }
  return chosen;
}

/** How often a ray to the right of (px, py) crosses the outline. */
function crossings(xs, ys, px, py) {
  let count = 0;
  for (let a = 0, b = xs.length - 1; a < xs.length; b = a++) {
    if (ys[a] > py === ys[b] > py) continue;
    if (px < ((xs[b] - xs[a]) * (py - ys[a])) / (ys[b] - ys[a]) + xs[a]) count += 1;
  }
  return count;
}

/** Flags, of 100,000 samples at most, as base64 of bits, least significant first (numpy: unpackbits, bitorder little). */
export function packed(flags) {
  const bytes = new Uint8Array(Math.ceil(flags.length / 8));
  for (let i = 0; i < flags.length; i++) if (flags[i]) bytes[i >> 3] |= 1 << (i & 7);
  return btoa(String.fromCharCode(...bytes));
}
