// The film player: two linked sliders, γ and time, over the latent view, the nodes and the curves against γ; what Streamlit mounts.

import { Catalogue } from "../charts/catalogue.js";
import { ChartClock } from "../charts/chartclock.js";
import { keeping } from "../kit/component.js";
import { REDUCED, el, setText } from "../kit/dom.js";
import { chooseFilm, listen } from "../kit/keys.js";
import { Part, sayCover } from "../kit/part.js";
import { Popover } from "../kit/popover.js";
import { without } from "../kit/share.js";
import { join } from "../kit/sharing.js";
import { tr } from "../kit/words.js";
import { MANY_CLASSES, buildLayers, buildLayout, showTheory, zoomSwitch } from "../panels/layout.js";
import { Nodes } from "../panels/nodes.js";
import { addSaves } from "../panels/saves.js";
import { FilmCurves } from "./curves.js";
import { FilmData } from "./data.js";
import { FilmLatents } from "./latents.js";
import { FilmTransport } from "./transport.js";
import { filmWords } from "./linkwords.js";
import { sentenceOf } from "./words.js";

const FRAME_MS = 110; // while playing
const REST_MS = 2_000; // at the end of each round of a film that goes on by itself

export class FilmPlayer extends Part {
  /** props: {buffer | filmUrl, catalogue, plotlyUrl | Plotly, dark, saveUrl, exportUrl, movies, styled, playing: whether it begins by itself, and goes on until a hand takes it, share, moment: of its link} */
  constructor(element, props) {
    super(element, props, { className: "lpc-film", testid: "lpc-film", sheets: ["film/film.css"] });
    Object.assign(this, { film: null, g: 0, t: 0, playing: false, again: false });
    this.popover = new Popover(this.root, () => this.film?.setup().info ?? { catalogue: new Catalogue(props.catalogue) });
    this.clock = new ChartClock(() => {});
    this.build();
    this.transport.links.prepend(this.shareButton());
    this.root.lpcFilm = { state: () => this.state(), go: (g, t) => this.go(g, t) }; // for tests and benchmarks
    this.opened = this.begin();
  }

  build() {
    const { clock } = this;
    const info = (key, suffix) => this.popover.button(key, suffix);
    this.transport = new FilmTransport({ info, play: () => this.togglePlay(), gamma: (g) => this.go(g, this.t), time: (t) => this.go(this.g, t) }, this.props);
    for (const hand of ["pointerdown", "keydown"]) this.transport.element.addEventListener(hand, () => (this.again = false));
    const zoom = zoomSwitch((mode) => this.latents.setZoom(mode));
    const cover = el("div", { class: "lpc-cover", role: "status", testid: "lpc-cover" });
    const part = (this.part = buildLayout({ transport: this.transport.element, viewTools: el("div", { class: "lpc-tools" }, zoom), info, notices: { bar: "", cover } }));
    this.layers = buildLayers(part.layers, info, () => this.request());
    this.latents = new FilmLatents(
      { plot: part.plot, legend: part.legend, selection: part.selection, controls: { zoom }, layers: this.layers },
      { redraw: () => this.request(), wantThumbs: () => false });
    this.nodes = new Nodes({ strip: part.strip, chart: part.nodesChart, note: part.nodesNote }, { clock, sendLarge: () => this.show() });
    this.curves = new FilmCurves({ chart: part.curvesChart, tools: part.curvesTools }, { clock, info, pick: (gamma) => this.go(this.film.nearest(gamma), this.t) });
    part.curvesTools.append(this.transport.key, info("film-marks"));
    addSaves(part, this, async () => this.plotly());
    sayCover(part.cover, tr("Loading the film…"));
    this.root.prepend(...part.children);
  }

  /** Styles, film and Plotly, then the first picture. Resolves to the film, or null. */
  async begin() {
    if (!await this.styled()) return null;
    try {
      const [buffer, Plotly] = await Promise.all([this.load(), this.plotly()]);
      if (this.gone) return null;
      for (const part of [this.latents, this.curves]) part.usePlotly(Plotly);
      this.open(new FilmData(buffer, this.props.catalogue));
      return this.film;
    } catch (error) {
      sayCover(this.part.cover, tr("{error}; reload the page or record the film anew.", { error: error.message }), true);
      return null;
    }
  }

  async load() {
    if (this.props.buffer) return this.props.buffer;
    const answer = await fetch(new URL(this.props.filmUrl, document.baseURI));
    if (!answer.ok) throw new Error(answer.status === 404 ? tr("this film is no longer held by the server") : tr("the film could not be loaded ({status})", { status: answer.status }));
    return answer.arrayBuffer();
  }

  open(film) {
    this.film = film;
    const message = film.setup();
    setText(this.part.data, tr(film.info.title));
    showTheory(this.part, message.info);
    this.layers.set("forces", !this.usualOff().length);
    for (const part of [this.latents, this.nodes]) part.setup(message);
    this.curves.open(film);
    this.largest = film.norm_mean.reduce((most, value) => (value > most ? value : most), 0);
    this.transport.open(film);
    sayCover(this.part.cover, "");
    this.stopKeys = listen(chooseFilm, {
      play: () => without("run") || this.togglePlay(), gamma: (by) => without("gamma") || this.transport.gamma.move(this.g + by), time: (by) => this.transport.time.move(this.t + by),
      canTurn: () => this.latents.spin.active, turn: (dx, dy) => this.latents.spin.turn(dx, dy),
    });
    this.go(this.usualRun(), film.T - 1);
    this.again = this.props.playing && !REDUCED.matches;
    if (this.again) this.togglePlay();
    if (this.props.share) join(this, filmWords(this));
  }

  /** The run that a film begins with: where its classes have collapsed. */
  usualRun() {
    const { film } = this;
    const { onset, total } = film.marks(film.T - 1);
    return onset ? film.nearest(total ? Math.sqrt(onset * total) : onset) : Math.floor(film.G / 2);
  }

  usualOff() {
    return this.film.forced && this.film.K <= MANY_CLASSES ? [] : ["forces"];
  }

  /** To run g at frame t. */
  go(g, t) {
    if (g === this.g && t === this.t && this.shown) return;
    [this.g, this.t] = [g, t];
    this.dirty = true;
    this.request();
  }

  togglePlay() {
    if (!this.film) return;
    this.setPlaying(!this.playing);
    if (this.playing && this.t === this.film.T - 1) this.go(this.g, 0);
  }

  setPlaying(playing) {
    this.playing = playing;
    this.transport.play.show(this.runState());
    this.stepped = performance.now();
    this.dirty = true;
    this.request();
  }

  runState() {
    return this.playing ? "running" : "paused";
  }

  draw(now) {
    if (this.playing && now - this.stepped >= FRAME_MS) this.tick(now);
    if (this.dirty && this.film) this.show(now);
    const more = this.latents.draw(now);
    this.draws += 1;
    if (more || this.playing) this.request();
  }

  tick(now) {
    const last = this.film.T - 1;
    this.stepped = now + (this.again && this.t === last - 1 ? REST_MS : 0);
    if (this.t < last) [this.t, this.dirty] = [this.t + 1, true];
    else if (this.again) [this.t, this.dirty] = [0, true];
    else this.setPlaying(false);
  }

  /** Everything at (g, t), from memory. */
  show(now = performance.now()) {
    const { film, g, t } = this;
    this.dirty = false;
    this.shown = film.message(g, t, this.nodes.large, this.runState());
    this.latents.takeBack(); // another run at the same step is another picture
    this.latents.push(this.shown, now);
    this.setGhosts();
    this.nodes.push(this.shown);
    this.nodes.tell(this.shown);
    this.latents.tell(this.shown.info);
    this.curves.show(g, t);
    const [row, marks] = [film.row(g, t), film.marks(t)];
    this.transport.show(g, t, row, marks);
    setText(this.part.sentence, sentenceOf(film, g, t, row, marks));
  }

  /** Rings where the shells of the weaker decades' runs are at this moment. */
  setGhosts() {
    const { film, g, t, latents: { ghosts } } = this;
    const here = Math.floor(Math.log10(film.gammas[g]) + 1e-9);
    ghosts.rings = new Map();
    for (let e = Math.ceil(Math.log10(film.gammas[0]) - 1e-9); e <= here; e++) {
      const run = film.nearest(10 ** e);
      const radius = film.norm_mean[run * film.T + t];
      if (run < g && radius > 0) ghosts.rings.set(e, radius);
    }
    Object.assign(ghosts, { decade: here, largest: this.largest, prefix: tr("run to γ =") });
  }

  parts() {
    return [this.latents, this.nodes, this.curves];
  }

  state() {
    const { film, g, t, latents: { current } } = this;
    if (!film) return null;
    return {
      g, t, G: film.G, T: film.T, n: film.n, gamma: film.gammas[g], step: film.steps[t], radius: film.norm_mean[g * film.T + t], playing: this.playing,
      drawnRadius: current?.scene.norm_mean ?? null, drawnStep: current?.scene.info.step ?? null,
      sentence: this.part.sentence.textContent, draws: this.draws, curves: Boolean(this.curves.drawn),
    };
  }

  destroy() {
    super.destroy();
    this.stopKeys?.();
    this.clock.stop();
  }
}

/** Another film, another player. */
export default keeping((element, data) => new FilmPlayer(element, data), (data) => data.filmUrl);
