// A film in memory: one decoded file, and any moment of it as the message the stage's views take.

import { Catalogue } from "../charts/catalogue.js";
import { decode } from "../kit/frames.js";
import { BINS } from "../charts/histogram.js";

const COLOURED = 12; // more classes than this share one histogram
const RAW_NODES = 3; // up to this many nodes the positions are the nodes, and histograms follow from them
const PHASES = ["unknown", "clouds", "falling", "collapsed", "guessing", "total"]; // as `lpc_core.phase.Phase` numbers them
const LEVELS = Float32Array.from({ length: 256 }, (_, code) => Math.sign(code - 127) * ((code - 127) / 127) ** 2);

export class FilmData {
  static count = 0;

  /** `buffer`: a film file, as `lpc_core/film/__init__.py` describes it; `known`: the words of the page, as a `Catalogue` takes them. */
  constructor(buffer, known = {}) {
    const { kind, info, tensors } = decode(buffer);
    if (kind !== "film") throw new Error(`expected a film, got ${kind ?? "another file"}`);
    Object.assign(this, { info, tensors, serial: ++FilmData.count });
    this.gammas = tensors.gammas.data;
    this.steps = tensors.steps.data;
    this.labels = tensors.labels.data;
    [this.G, this.T, this.n] = [this.gammas.length, this.steps.length, this.labels.length];
    this.K = info.class_names.length;
    this.p = tensors.codes.shape[3];
    this.nodes = info.nodes > RAW_NODES ? tensors.hist.shape[2] : info.nodes;
    this.forced = Boolean(tensors.forces);
    this.theory = info.theory_note === "";
    this.norm_mean = this.metric("norm_mean");
    this.catalogue = new Catalogue({ ...known, metrics: { ...info.words, ...known.metrics } });
  }

  /** (G·T) values of a metric, run by run. */
  metric(name) {
    const index = this.info.metrics.indexOf(name);
    const size = this.G * this.T;
    return index < 0 ? null : this.tensors.metrics.data.subarray(index * size, (index + 1) * size);
  }

  /** {name: value} of every metric at run g, frame t. */
  row(g, t) {
    const measured = this.info.metrics.map((name) => [name, this.metric(name)[g * this.T + t]]);
    return { step: this.steps[t], gamma: this.gammas[g], ...Object.fromEntries(measured) };
  }

  /** {name: [value per γ]} at frame t. */
  against(t) {
    const columns = { step: this.steps, gamma: this.gammas };
    for (const name of this.info.metrics) {
      const values = this.metric(name);
      columns[name] = Array.from(this.gammas, (_, g) => values[g * this.T + t]);
    }
    return columns;
  }

  /** What the classes of run g are at frame t, by the one definition that Python has. */
  phase(g, t) {
    return PHASES[this.tensors.phase?.data[g * this.T + t] ?? 0];
  }

  marks(t) {
    const [onset, total] = [this.tensors.onset.data[t], this.tensors.total.data[t]];
    return { onset: Number.isFinite(onset) ? onset : null, total: Number.isFinite(total) ? total : null };
  }

  /** The run whose γ is nearest on the log scale. */
  nearest(gamma) {
    return least(this.gammas, (value) => Math.abs(Math.log(value / gamma)));
  }

  /** The frame whose step is nearest. */
  frameAt(step) {
    return least(this.steps, (value) => Math.abs(value - step));
  }

  /** What the stage's views want to know about a run before its frames. */
  setup() {
    const { info, labels } = this;
    return {
      info: {
        run: this.serial, title: info.title, d: this.nodes, K: this.K, n: this.n, class_names: info.class_names, image: null, history: {},
        convention: info.config.convention, theory: this.theory, theory_note: info.theory_note, catalogue: this.catalogue,
      },
      tensors: { labels: { data: labels, shape: [this.n] } },
    };
  }

  /** Run g at frame t as a frame message; `large` are the nodes with a histogram in large. */
  message(g, t, large, state) {
    const at = g * this.T + t;
    const width = Math.max(this.p, 2);
    const xy = this.positions(at);
    const row = this.row(g, t);
    const projection = this.info.axes;
    const info = {
      run: this.serial, step: this.steps[t], gamma: this.tensors.gamma.data[at], state, scale: 1, norm_mean: row.norm_mean, projection, dims: width,
      predicted_radius: Number.isFinite(row.predicted_radius) ? row.predicted_radius : null, metrics: row, large,
      nodes: projection === "nodes" ? Array.from({ length: this.p }, (_, i) => i) : [], hist_range: this.tensors.hist_range.data[at],
    };
    const wide = (name) => ({ data: this.widen(this.part(name, at)) });
    const tensors = {
      xy: { data: xy, shape: [this.n, width] }, predictions: { data: this.predictions(at) }, means: wide("means"),
      ...(this.info.nodes > RAW_NODES ? this.storedHistograms(at, large) : this.countedHistograms(xy, width, large, info.hist_range)),
      node_peak_distance: { data: this.part("node_peak_distance", at) },
    };
    if (this.theory) tensors.collapse_points = wide("collapse_points");
    if (this.theory && this.forced) tensors.forces = wide("forces");
    return { info, tensors };
  }

  /** What a tensor (G, T, …) has at moment `at`. */
  part(name, at) {
    const { data, shape } = this.tensors[name];
    const size = shape.slice(2).reduce((product, side) => product * side);
    return data.subarray(at * size, (at + 1) * size);
  }

  /** (n, 2 or 3) positions: class mean + reach · level. */
  positions(at) {
    const { n, p, K, labels } = this;
    const codes = this.part("codes", at);
    const [means, reach] = [this.tensors.means.data, this.tensors.reach.data];
    const width = Math.max(p, 2);
    const xy = new Float32Array(n * width);
    for (let i = 0; i < n; i++) {
      const c = at * K + labels[i];
      for (let k = 0; k < p; k++) xy[i * width + k] = means[c * p + k] + reach[c] * LEVELS[codes[i * p + k] + 127];
    }
    return xy;
  }

  /** A single node is drawn on a line: its second coordinate is 0. */
  widen(values) {
    if (this.p > 1) return values;
    const wide = new Float32Array(2 * values.length);
    values.forEach((value, i) => (wide[2 * i] = value));
    return wide;
  }

  predictions(at) {
    const packed = this.part("predictions", at);
    if (this.K > 16) return packed;
    return Uint8Array.from({ length: this.n }, (_, i) => (i & 1 ? packed[i >> 1] >> 4 : packed[i >> 1] & 15));
  }

  storedHistograms(at, large) {
    const hist = this.part("hist", at);
    const picked = new Uint8Array(large.length * BINS);
    large.forEach((node, slot) => picked.set(hist.subarray(node * BINS, (node + 1) * BINS), slot * BINS));
    return { hist: { data: hist }, hist_class: { data: picked, shape: [large.length, 1, BINS] } };
  }

  countedHistograms(xy, width, large, range) {
    const groups = this.K <= COLOURED ? this.K : 1;
    const counts = new Uint16Array(large.length * groups * BINS);
    large.forEach((node, slot) => {
      for (let i = 0; i < this.n; i++) {
        const bin = Math.max(0, Math.min(BINS - 1, Math.floor((xy[i * width + node] / range + 1) * (BINS / 2))));
        counts[(slot * groups + (groups > 1 ? this.labels[i] : 0)) * BINS + bin] += 1;
      }
    });
    return { hist: { data: counts }, hist_class: { data: counts, shape: [large.length, groups, BINS] } };
  }
}

/** Where `cost` is least. */
const least = (values, cost) => values.reduce((best, value, i) => (cost(value) < cost(values[best]) ? i : best), 0);
