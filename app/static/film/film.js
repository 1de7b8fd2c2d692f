// The film player: two linked sliders, γ and time, over the latent view, the nodes and the curves against γ.

import { ChartClock } from "../kit/chartclock.js";
import { el, icon, loadPlotly, loadStyles, segmented, setText } from "../kit/dom.js";
import { addExplanations } from "../kit/explain.js";
import { FilmCurves } from "./curves.js";
import { FilmData } from "./data.js";
import { FilmLatents } from "./latents.js";
import { StopSlider } from "../kit/stopslider.js";
import { chooseFilm } from "./keys.js";
import { listen } from "../kit/keys.js";
import { FILM_TEXTS, sentenceOf } from "./words.js";
import { formatCount, formatDecade, formatGamma, formatPercent } from "../kit/format.js";
import { buildLayers, buildLayout } from "../panels/layout.js";
import { Nodes } from "../panels/nodes.js";
import { Popover } from "../kit/popover.js";
import { applyTheme, readTheme } from "../kit/theme.js";

const PLAY = "M7 4.500v15l12.500-7.500z";
const PAUSE = "M6 4.500h4.200v15H6zM13.800 4.500H18v15h-4.200z";
const FRAME_MS = 110; // while playing
const MANY_CLASSES = 12;
const GRACE_MS = 300; // between a cleanup and the same element's next mount

addExplanations(FILM_TEXTS);

let sheet = null;

/** Links film.css once per document. */
function loadSheet() {
  sheet ??= new Promise((resolve) => {
    const link = el("link", { rel: "stylesheet", href: new URL("./film.css", import.meta.url).href });
    link.onload = link.onerror = () => resolve();
    document.head.append(link);
  });
  return sheet;
}

export class FilmPlayer {
  /** props: {buffer | filmUrl, plotlyUrl | Plotly, dark, saveUrl, exportUrl} */
  constructor(element, props) {
    Object.assign(this, { element, props, film: null, g: 0, t: 0, raf: 0, playing: false, draws: 0, scrubMs: 0 });
    this.root = el("div", { class: "lpc-root lpc-film lpc-unstyled", testid: "lpc-film" });
    this.popover = new Popover(this.root, () => this.film?.setup().info);
    this.clock = new ChartClock(() => {});
    this.build();
    element.append(this.root);
    element.lpcFilm = this.root.lpcFilm = this.door();
  }

  build() {
    const info = (key, suffix) => this.popover.button(key, suffix);
    this.gamma = new StopSlider({ label: "γ of the run", testid: "lpc-film-gamma", onMove: (g) => this.go(g, this.t), describe: (g) => `γ = ${formatGamma(this.film?.gammas[g])}` });
    this.time = new StopSlider({ label: "Time in training steps", testid: "lpc-film-time", onMove: (t) => this.go(this.g, t), describe: (t) => `step ${formatCount(this.film?.steps[t])}` });
    this.zoom = segmented("Zoom", [
      { value: "follow", text: "follow", title: "Zoom in as the shell shrinks", testid: "lpc-zoom-follow" },
      { value: "fixed", text: "fixed", title: "Keep the axes where they are", testid: "lpc-zoom-fixed" },
    ], (mode) => this.latents.setZoom(mode), "lpc-zoom");
    const tools = el("div", { class: "lpc-tools" }, el("span", { class: "lpc-zoom-label" }, el("span", { class: "lpc-hint", text: "zoom" }), this.zoom));
    const part = (this.part = buildLayout({ transport: this.buildTransport(info), viewTools: tools, info }));
    this.layers = buildLayers(part.layers, info, () => this.request());
    this.latents = new FilmLatents(
      { plot: part.plot, legend: part.legend, selection: part.selection, controls: { zoom: this.zoom }, layers: () => this.layers.read() },
      { redraw: () => this.request(), wantThumbs: () => false });
    this.nodes = new Nodes({ strip: part.strip, chart: part.nodesChart, note: part.nodesNote }, { clock: this.clock, sendLarge: () => this.show() });
    this.curves = new FilmCurves({ chart: part.curvesChart, tools: part.curvesTools }, { clock: this.clock, info, pick: (gamma) => this.go(this.film.nearest(gamma), this.t) });
    part.curvesTools.append(this.buildKey(), info("film-marks"));
    this.zoom.select("follow");
    this.sayCover("Loading the film…");
    this.root.prepend(...part.children);
  }

  buildTransport(info) {
    this.playIcon = icon(PLAY);
    this.play = el("button", {
      type: "button", class: "lpc-button lpc-icon lpc-primary", testid: "lpc-film-play", title: "Play time (space)", "aria-label": "Play time (space)",
      on: { click: () => this.togglePlay() },
    }, this.playIcon);
    const row = (name, slider, key) => {
      const value = el("output", { class: "lpc-gamma-value", testid: `${slider.element.dataset.testid}-value`, text: "–" });
      const title = name === "γ" ? el("span", { class: "lpc-gamma-name", text: "γ" }) : el("span", { class: "lpc-film-name", text: name });
      return [value, el("div", { class: "lpc-film-row" }, el("div", { class: "lpc-gamma-head" }, title, value, info(key)), slider.element)];
    };
    let gammaRow, timeRow;
    [this.gammaValue, gammaRow] = row("γ", this.gamma, "film-gamma");
    [this.timeValue, timeRow] = row("step", this.time, "film-time");
    timeRow.classList.add("lpc-film-time");
    const readout = (name, testid) => {
      const value = el("dd", { testid, text: "–" });
      return [value, el("div", {}, el("dt", { text: name }), value)];
    };
    let radius, train, test;
    [this.radiusValue, radius] = readout("radius", "lpc-film-radius");
    [this.trainValue, train] = readout("train accuracy", "lpc-film-train");
    [this.testValue, test] = readout("test accuracy", "lpc-film-test");
    const side = el("div", { class: "lpc-film-side" }, el("dl", { class: "lpc-readouts" }, radius, train, test), this.buildLinks());
    return el("div", { class: "lpc-film-transport", role: "group", "aria-label": "Film" },
      el("div", { class: "lpc-film-bar" }, this.play, el("div", { class: "lpc-film-sliders" }, gammaRow, timeRow)), side);
  }

  buildLinks() {
    const link = (href, text, testid, title) => href && el("a", { class: "lpc-button", href, download: true, text, testid, title });
    return el("div", { class: "lpc-film-links" },
      link(this.props.saveUrl, "Save film", "lpc-film-save", "Save as one file that the lab opens again"),
      link(this.props.exportUrl, "Export HTML", "lpc-film-export", "Save as one page that plays without a network"));
  }

  buildKey() {
    this.key = el("span", { class: "lpc-film-key", testid: "lpc-film-marks" });
    return this.key;
  }

  /** Styles, film and Plotly, then the first picture. */
  async begin() {
    if (!this.props.styled) await Promise.all([loadStyles(), loadSheet()]);
    if (this.gone) return null;
    this.root.classList.remove("lpc-unstyled");
    this.restyle();
    try {
      const [buffer, Plotly] = await Promise.all([this.load(), this.props.Plotly ?? loadPlotly(new URL(this.props.plotlyUrl, document.baseURI).href)]);
      if (this.gone) return null;
      for (const part of [this.latents, this.curves]) part.usePlotly(Plotly);
      this.open(new FilmData(buffer));
      return this.film;
    } catch (error) {
      this.sayCover(`${error.message}; reload the page or record the film anew.`, true);
      return null;
    }
  }

  async load() {
    if (this.props.buffer) return this.props.buffer;
    const answer = await fetch(new URL(this.props.filmUrl, document.baseURI));
    if (!answer.ok) throw new Error(answer.status === 404 ? "this film is no longer held by the server" : `the film could not be loaded (${answer.status})`);
    return answer.arrayBuffer();
  }

  sayCover(text, failed = false) {
    const spinner = el("div", { class: "lpc-spinner" });
    this.part.cover.replaceChildren(el("div", { class: failed ? "lpc-cover-box lpc-failed" : "lpc-cover-box" }, spinner, el("p", { text })));
    this.part.cover.hidden = !text;
  }

  open(film) {
    this.film = film;
    const message = film.setup();
    this.showTheory(film);
    for (const part of [this.latents, this.nodes]) part.setup(message);
    this.curves.open(film);
    this.largest = film.radius.reduce((most, value) => (value > most ? value : most), 0);
    this.setStops(film);
    this.sayCover("");
    this.stopKeys = listen(chooseFilm, {
      play: () => this.togglePlay(), gamma: (by) => this.gamma.move(this.g + by), time: (by) => this.time.move(this.t + by),
      canTurn: () => this.latents.spin.active, turn: (dx, dy) => this.latents.spin.turn(dx, dy),
    });
    const { onset, total } = film.marks(film.T - 1);
    const start = onset ? film.nearest(total ? Math.sqrt(onset * total) : onset) : Math.floor(film.G / 2);
    this.go(start, film.T - 1);
  }

  showTheory({ theory, forced, K, info }) {
    this.part.layers.classList.toggle("lpc-no-theory", !theory);
    this.part.theoryNote.hidden = theory;
    setText(this.part.theoryNote, theory ? "" : `No predicted points in this run. ${info.theory_note}`);
    this.layers.set("forces", forced && K <= MANY_CLASSES);
  }

  setStops(film) {
    const [low, high] = [Math.log10(film.gammas[0]), Math.log10(film.gammas[film.G - 1])];
    this.gammaShare = (gamma) => (Math.log10(gamma) - low) / (high - low);
    const decades = [];
    for (let e = Math.ceil(low - 1e-9); e <= high + 1e-9; e++) decades.push({ share: this.gammaShare(10 ** e), text: formatDecade(e), minor: (e - Math.ceil(low)) % 2 === 1 });
    this.gamma.setStops(Array.from(film.gammas, this.gammaShare), decades);
    const last = film.T - 1;
    const every = [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * last));
    this.time.setStops(Array.from(film.steps, (_, t) => t / last), every.map((t, i) => ({ share: t / last, text: formatCount(film.steps[t]), minor: i % 2 === 1 })));
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
    const title = playing ? "Pause (space)" : "Play time (space)";
    this.playIcon.firstChild.setAttribute("d", playing ? PAUSE : PLAY);
    this.play.title = title;
    this.play.setAttribute("aria-label", title);
    this.play.dataset.state = playing ? "running" : "paused";
    this.stepped = performance.now();
    this.dirty = true;
    this.request();
  }

  request() {
    if (!this.raf && !this.gone) this.raf = requestAnimationFrame((now) => this.draw(now));
  }

  draw(now) {
    this.raf = 0;
    if (this.playing && now - this.stepped >= FRAME_MS) this.tick(now);
    const begin = performance.now();
    if (this.dirty && this.film) this.show(now);
    const more = this.latents.draw(now);
    this.draws += 1;
    this.scrubMs += 0.1 * (performance.now() - begin - this.scrubMs);
    if (more || this.playing) this.request();
  }

  tick(now) {
    this.stepped = now;
    if (this.t < this.film.T - 1) [this.t, this.dirty] = [this.t + 1, true];
    else this.setPlaying(false);
  }

  /** Everything at (g, t), from memory. */
  show(now = performance.now()) {
    const { film, g, t } = this;
    this.dirty = false;
    this.shown = film.message(g, t, this.nodes.large, this.playing ? "running" : "paused");
    this.latents.takeBack(); // another run at the same step is another picture
    this.latents.push(this.shown, now);
    this.setGhosts();
    this.nodes.push(this.shown);
    this.curves.show(g, t);
    this.gamma.show(g);
    this.time.show(t);
    this.showNumbers();
  }

  /** Rings where the shells of the weaker decades' runs are at this moment. */
  setGhosts() {
    const { film, g, t, latents: { ghosts } } = this;
    const here = Math.floor(Math.log10(film.gammas[g]) + 1e-9);
    ghosts.rings = new Map();
    for (let e = Math.ceil(Math.log10(film.gammas[0]) - 1e-9); e <= here; e++) {
      const run = film.nearest(10 ** e);
      const radius = film.radius[run * film.T + t];
      if (run < g && radius > 0) ghosts.rings.set(e, radius);
    }
    Object.assign(ghosts, { decade: here, largest: this.largest });
  }

  showNumbers() {
    const { film, g, t } = this;
    const row = film.row(g, t);
    setText(this.gammaValue, formatGamma(film.gammas[g]));
    setText(this.timeValue, formatCount(film.steps[t]));
    setText(this.radiusValue, formatGamma(row.norm_mean));
    setText(this.trainValue, formatPercent(row.train_accuracy));
    setText(this.testValue, formatPercent(row.test_accuracy));
    const marks = film.marks(t);
    this.showMarks(marks);
    setText(this.part.sentence, sentenceOf(film, g, t, row, marks));
  }

  showMarks({ onset, total }) {
    const key = `${onset}|${total}`;
    if (key === this.marksKey) return;
    this.marksKey = key;
    const place = (gamma, className, title) => gamma && { share: this.gammaShare(gamma), className, title: `${title}: γ = ${formatGamma(gamma)}` };
    this.gamma.setMarks([place(onset, "lpc-film-onset", "collapse sets in"), place(total, "lpc-film-total", "total collapse")].filter(Boolean));
    const word = (className, text, gamma) => el("span", {}, el("i", { class: className }), el("span", { text }), el("b", { text: gamma ? `γ ${formatGamma(gamma)}` : "–" }));
    this.key.replaceChildren(word("lpc-film-onset", "collapse from", onset), word("lpc-film-total", "total collapse from", total));
  }

  restyle() {
    const theme = readTheme(this.element, this.props.dark);
    const key = JSON.stringify(theme);
    if (key === this.themeKey) return;
    this.themeKey = key;
    applyTheme(this.root, theme);
    for (const part of [this.latents, this.nodes, this.curves]) part.restyle(theme);
    this.request();
    return theme;
  }

  update(props) {
    this.props = { ...this.props, ...props };
    if (this.themeKey) this.restyle();
  }

  /** For tests and benchmarks. */
  door() {
    return { state: () => this.state(), go: (g, t) => this.go(g, t), player: this };
  }

  state() {
    const { film, g, t, latents: { current, camera } } = this;
    if (!film) return null;
    return {
      g, t, G: film.G, T: film.T, n: film.n, gamma: film.gammas[g], step: film.steps[t], radius: film.radius[g * film.T + t], playing: this.playing,
      drawnRadius: current?.scene.radius ?? null, radiusPx: current ? current.scene.radius * current.mapping.scale : null, halfRange: camera.half,
      drawnStep: current?.scene.info.step ?? null, marks: film.marks(t), sentence: this.part.sentence.textContent, draws: this.draws, scrubMs: this.scrubMs,
      curves: Boolean(this.curves.drawn),
    };
  }

  destroy() {
    this.gone = true;
    cancelAnimationFrame(this.raf);
    this.stopKeys?.();
    this.popover.close();
    this.clock.stop();
    for (const part of [this.latents, this.nodes, this.curves]) part.destroy();
    this.root.remove();
    delete this.element.lpcFilm;
  }
}

/** Mounts a player in `element`. */
export function mount(element, props) {
  const player = new FilmPlayer(element, props);
  player.opened = player.begin();
  return player;
}

const mounted = new WeakMap(); // parent element → {player, leaving}

/** Streamlit's entry; another film replaces the player. */
export default function component({ data, parentElement }) {
  let known = mounted.get(parentElement);
  if (known) clearTimeout(known.leaving);
  if (known && known.player.props.filmUrl === data.filmUrl) known.player.update(data);
  else {
    known?.player.destroy();
    known = { player: mount(parentElement, data) };
    mounted.set(parentElement, known);
  }
  return () => {
    known.leaving = setTimeout(() => {
      if (mounted.get(parentElement) === known) mounted.delete(parentElement);
      known.player.destroy();
    }, GRACE_MS);
  };
}
