// The collapse microscope: one class under a zoom that goes from the whole view down to single float32 steps.

import { CardView } from "../charts/card.js";
import { keeping } from "../kit/component.js";
import { button, el, renew, select, setText } from "../kit/dom.js";
import { StopSlider, quarterTicks } from "../controls/stopslider.js";
import { formatCount, formatDecade, nodeName, power } from "../kit/format.js";
import { decode } from "../kit/frames.js";
import { MetricPopover } from "../controls/metricpopover.js";
import { Part } from "../kit/part.js";
import { join, word } from "../kit/sharing.js";
import { tr } from "../kit/words.js";
import { Sample } from "./scopedata.js";
import { cloudFigure, distanceFigure } from "./scopefigures.js";
import { classSentence, cloudCsv, distanceCsv, viewCaption } from "./scopewords.js";

const STOPS_PER_DECADE = 12;
const FEWEST_STEPS = 4; // float32 steps from the middle to the edge of the closest view
const ABOUT = tr("When all samples of a class fall together, an ordinary plot shows one dot and nothing more. This one zooms into the dot. In the end it meets "
  + "the grid of numbers that float32 can hold at all: below one step of it no two samples can differ, and no measurement means anything.");

const EMPTY = { caption: "", empty: tr("The microscope opens with the first moment."), csv: "" };

const CLOUD = {
  key: "cloud", title: tr("The class about its mean"), aspect: 0.95, metrics: [], wide: false, ...EMPTY,
  about: tr("Two nodes of every sample, with the mean of the class in the middle. The red mark is where theory puts the class, from the classifier and γ alone. "
    + "From the closest views on, the dotted grid shows the numbers that float32 can hold."),
  figure: { data: [], layout: {
    xaxis: { range: [-1, 1], constrain: "domain", title: { text: tr("z₁ − mean") } }, yaxis: { range: [-1, 1], constrain: "domain", scaleanchor: "x", title: { text: tr("z₂ − mean") } } } },
};
const DISTANCES = {
  key: "distances", title: tr("How far its samples are from the mean"), aspect: 0.95, metrics: [], wide: false, ...EMPTY,
  about: tr("How many samples of the class lie at which distance ‖z − μ‖ from its mean, over all nodes. One float32 step is the spacing of float32 numbers at the "
    + "mean's largest node: what is smaller cannot be told from rounding."),
  figure: { data: [], layout: { xaxis: { type: "log", range: [-6, 0], title: { text: tr("distance to the class mean ‖z − μ‖") } }, yaxis: { range: [0, 1], title: { text: tr("samples") } } } },
};

export class Microscope extends Part {
  /** props: {moments: [{step, url}], classNames, plotlyUrl} */
  constructor(element, props) {
    super(element, props, { className: "lpc-scope", testid: "lpc-microscope", sheets: ["film/film.css", "cards/cards.css"] });
    Object.assign(this, { t: -1, c: 0, zoom: 0, nodes: [0, 1], samples: new Map(), extent: [Infinity, 0], shown: null, lasting: true });
    this.popover = new MetricPopover(this.root);
    this.build();
    this.root.lpcMicroscope = { state: () => this.state(), microscope: this };
    this.update(props);
    this.beginCharts((text) => setText(this.sentence, text));
  }

  build() {
    const info = this.popover.about(tr("Collapse microscope"), "lpc-scope-info", () => ({ title: tr("Collapse microscope"), text: ABOUT, metrics: [] }));
    this.picks = el("div", { class: "lpc-tools" });
    this.time = new StopSlider({ label: tr("Moment of the run"), testid: "lpc-scope-time", onMove: (t) => this.go(t), describe: (t) => tr("step {n}", { n: formatCount(this.props.moments[t]?.step ?? 0) }) });
    this.lens = new StopSlider({ label: tr("Magnification"), testid: "lpc-scope-zoom", onMove: (k) => this.magnify(k), describe: (k) => tr("{n} times", { n: power(10 ** (k / STOPS_PER_DECADE)) }) });
    this.timeValue = el("output", { class: "lpc-scope-value", text: "–" });
    this.zoomValue = el("output", { class: "lpc-scope-value", text: "–" });
    const row = (name, value, slider) => el("div", { class: "lpc-scope-row" }, el("span", { class: "lpc-scope-name" }, el("span", { text: name }), value), slider.element);
    const fit = button(tr("Fit the class"), "lpc-scope-fit", () => this.magnify(this.filled));
    const deepest = button(tr("To the float32 step"), "lpc-scope-deepest", () => this.magnify(1e6));
    this.sentence = el("p", { class: "lpc-card-caption", "aria-live": "polite", testid: "lpc-scope-sentence" });
    const request = () => this.request();
    [this.cloud, this.distances] = [CLOUD, DISTANCES].map((card) => new CardView(card, this.popover, request));
    const grid = el("div", { class: "lpc-card-grid" }, this.cloud.element, this.distances.element);
    this.root.prepend(el("section", { class: "lpc-panel", "aria-label": tr("Collapse microscope") },
      el("header", { class: "lpc-head" }, el("h2", { text: tr("Collapse microscope") }), info, this.picks),
      row(tr("magnified"), this.zoomValue, this.lens), row(tr("step"), this.timeValue, this.time),
      el("div", { class: "lpc-scope-buttons" }, fit, deepest), this.sentence), grid);
  }

  /** New moments are appended; whoever looks at the last one stays with the last. Another study starts afresh. */
  update(props) {
    const before = this.props.moments;
    super.update(props);
    const { moments } = props;
    const last = moments.length - 1;
    const other = before.length && moments[0]?.url !== before[0].url;
    if (other) this.forget();
    const following = this.t < 0 || this.t >= before.length - 1 || other;
    this.time.setStops(last > 0 ? moments.map((_, i) => i / last) : [0], quarterTicks(last, (i) => formatCount(moments[i].step)));
    if (following && moments.length) this.go(last);
    else if (moments.length) this.time.show(this.t);
    this.request();
  }

  forget() {
    Object.assign(this, { t: -1, samples: new Map(), about: null, shown: null, dirty: false, extent: [Infinity, 0], picksKey: "" });
    setText(this.sentence, "");
    this.cloud.update(CLOUD);
    this.distances.update(DISTANCES);
  }

  /** Looks at moment t as soon as its samples are there. */
  async go(t) {
    this.t = t;
    this.time.show(t);
    const { step, url } = this.props.moments[t];
    setText(this.timeValue, formatCount(step));
    if (!this.samples.has(url)) this.samples.set(url, this.load(url));
    const wanted = () => !this.gone && this.props.moments[this.t]?.url === url;
    try {
      const sample = await this.samples.get(url);
      if (wanted()) this.open(sample);
    } catch (error) {
      this.samples.delete(url);
      if (wanted()) setText(this.sentence, tr("The samples of this moment could not be read ({error}). Move the slider to try again.", { error: error.message }));
    }
  }

  async load(url) {
    const answer = await fetch(new URL(url, document.baseURI));
    if (!answer.ok) throw new Error(tr("the server says {status}", { status: answer.status }));
    return new Sample(decode(await answer.arrayBuffer()).tensors);
  }

  open(sample) {
    this.sample = sample;
    if (!sample.labels.includes(this.c)) this.c = sample.labels[0];
    this.nodes = this.nodes.map((j) => Math.min(j, sample.d - 1));
    this.settle();
    join(this, this.words());
  }

  /** Of a link: the moment, where it is not the last one, the class, the magnification and the nodes. */
  words() {
    const { props: { moments }, sample } = this;
    const usual = sample.labels.includes(0) ? 0 : sample.labels[0];
    return {
      at: [() => (moments[this.t] && this.t < moments.length - 1 ? String(moments[this.t].step) : ""), (text) => this.goTo(Number(text))],
      class: word(() => String(this.c), () => String(usual), (text) => sample.labels.includes(Number(text)) && this.pick({ c: Number(text) })),
      nodes: word(() => this.nodes.join("-"), () => "0-1", (text) => text.split("-").every((j) => j < sample.d) && this.pick({ nodes: text.split("-").map(Number) })),
      lens: word(() => String(this.zoom), () => "0", (text) => this.magnify(Number(text))),
    };
  }

  pick(what) {
    this.picksKey = "";
    this.settle(what);
  }

  /** To the moment of this step, which may not have been measured yet: what is left then is told again. */
  goTo(step) {
    const { moments } = this.props;
    const t = moments.findIndex((moment) => moment.step >= step);
    if (t < 0) return String(step);
    this.go(t);
    return "";
  }

  buildPicks() {
    const { classNames } = this.props;
    const { d, labels } = this.sample;
    const key = JSON.stringify([classNames, d]);
    if (key === this.picksKey) return;
    this.picksKey = key;
    const classes = select(tr("Class under the microscope"), classNames.map((name, c) => [String(c), name]).filter((_, c) => labels.includes(c)), String(this.c), (c) => this.settle({ c: Number(c) }), { "data-testid": "lpc-scope-class" });
    const node = (at) => select(at ? tr("Node upward") : tr("Node to the right"), Array.from({ length: d }, (_, j) => [String(j), nodeName(j)]), String(this.nodes[at]), (j) => this.settle({ nodes: this.nodes.with(at, Number(j)) }));
    renew(this.picks, el("span", { class: "lpc-hint", text: tr("class") }), classes,
      ...(d > 2 ? [el("span", { class: "lpc-hint", text: tr("nodes") }), node(0), node(1)] : []));
  }

  /** After another class, other nodes or another moment: the range of the magnification, and the picture. */
  settle(what = {}) {
    Object.assign(this, what);
    this.buildPicks();
    this.about = this.sample.about(this.c);
    this.whole = this.about.whole(this.nodes);
    const decades = Math.max(0.5, Math.log10(this.whole / (FEWEST_STEPS * this.about.step)));
    const last = Math.floor(decades * STOPS_PER_DECADE);
    const ticks = Array.from({ length: Math.floor(decades) + 1 }, (_, e) => ({ share: (e * STOPS_PER_DECADE) / last, text: `${formatDecade(e)}×`, minor: e % 2 === 1 }));
    this.lens.setStops(Array.from({ length: last + 1 }, (_, k) => k / last), ticks);
    this.last = last;
    const filled = Math.log10(this.whole / this.about.filled(this.nodes)) * STOPS_PER_DECADE;
    this.filled = Math.max(0, Math.min(last, Math.floor(filled)));
    this.lens.setMarks([{ share: this.filled / last, className: "lpc-film-onset", title: tr("here the class fills the view") }]);
    this.extent = [Math.min(this.extent[0], 0.4 * this.about.step), Math.max(this.extent[1], 1.6 * this.about.farthest, Number.isFinite(this.about.nearestOther) ? 1.6 * this.about.nearestOther : 0)];
    this.magnify(this.zoom);
  }

  magnify(k) {
    if (!this.about) return;
    this.zoom = Math.max(0, Math.min(this.last, k));
    this.lens.show(this.zoom);
    this.dirty = true;
    this.request();
  }

  draw() {
    if (this.dirty) this.fill();
    if (!this.Plotly || !this.theme) return;
    for (const view of [this.cloud, this.distances]) view.draw(this.Plotly, this.theme);
  }

  fill() {
    this.dirty = false;
    const { about, nodes, props: { classNames } } = this;
    const times = 10 ** (this.zoom / STOPS_PER_DECADE);
    const half = this.whole / times;
    this.shown = { half, step: about.step };
    setText(this.zoomValue, `${power(times).replace(/\.0$/, "")}×`);
    this.cloud.update({ ...CLOUD, figure: cloudFigure(about, nodes, half, classNames), empty: "", caption: viewCaption(about, nodes, half), csv: () => cloudCsv(about) });
    this.distances.update({ ...DISTANCES, figure: distanceFigure(about, half, this.extent, classNames), empty: "", csv: () => distanceCsv(about),
      caption: tr("Distances over all nodes, on a logarithmic axis. Left of the dotted line a distance is rounding, not learning.") });
    setText(this.sentence, classSentence(about, classNames[about.c] ?? String(about.c)));
  }

  /** For tests. */
  state() {
    return { t: this.t, c: this.c, zoom: this.zoom, last: this.last, moments: this.props.moments.length, ...this.shown, drawn: Boolean(this.cloud.drawn && this.shown && !this.dirty),
      traces: (this.cloud.plot.data ?? []).map((trace) => trace.name), sentence: this.sentence.textContent };
  }

  destroy() {
    super.destroy();
    this.cloud.destroy();
    this.distances.destroy();
  }
}

export default keeping((element, data) => new Microscope(element, data));
