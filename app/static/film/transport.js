// The film's bar: two sliders, γ and time, the play button, the numbers of the moment, and where to save the film.

import { el, setText } from "../kit/dom.js";
import { formatCount, formatDecade, formatGamma, formatPercent } from "../kit/format.js";
import { playButton } from "../controls/playbutton.js";
import { StopSlider, quarterTicks } from "../controls/stopslider.js";
import { tr } from "../kit/words.js";

export class FilmTransport {
  /** hooks: {info(key), play(), gamma(g), time(t)}; links: {saveUrl, exportUrl, movies: [[kind, url]]}. */
  constructor({ info, play, gamma, time }, { saveUrl, exportUrl, movies = [] }) {
    this.film = null;
    this.gamma = new StopSlider({ label: tr("γ of the run"), testid: "lpc-film-gamma", onMove: gamma, describe: (g) => `γ = ${formatGamma(this.film?.gammas[g])}` });
    this.time = new StopSlider({ label: tr("Time in training steps"), testid: "lpc-film-time", onMove: time, describe: (t) => tr("step {n}", { n: formatCount(this.film?.steps[t]) }) });
    this.play = playButton("lpc-film-play", tr("Play time"), play);
    this.play.show("paused");
    this.key = el("span", { class: "lpc-film-key", testid: "lpc-film-marks" });
    this.values = {};
    const sliders = el("div", { class: "lpc-film-sliders" }, this.row("gamma", el("span", { class: "lpc-film-to" }, el("span", { class: "lpc-film-name", text: tr("ramp to") }), el("span", { class: "lpc-gamma-name", text: "γ" })), info("film-gamma")),
      this.row("time", el("span", { class: "lpc-film-name", text: tr("step") }), info("film-time")));
    const readouts = el("dl", { class: "lpc-readouts" }, this.readout("now", tr("γ now")), this.readout("radius", tr("radius")), this.readout("train", tr("train accuracy")), this.readout("test", tr("test accuracy")));
    this.movies = movies.map(([kind, url]) => ({ url, element: link(url, kind, `lpc-film-${kind.toLowerCase()}`, tr("Save this run as a moving picture, {kind}", { kind })) }));
    this.links = el("div", { class: "lpc-film-links" },
      link(saveUrl, tr("Save film"), "lpc-film-save", tr("Save as one file that the lab opens again")),
      link(exportUrl, tr("Export HTML"), "lpc-film-export", tr("Save as one page that plays without a network")), ...this.movies.map(({ element }) => element));
    this.element = el("div", { class: "lpc-film-transport", role: "group", "aria-label": tr("Film") },
      el("div", { class: "lpc-film-bar" }, this.play, sliders), el("div", { class: "lpc-film-side" }, readouts, this.links));
  }

  /** A slider under its name, its value and its ⓘ. */
  row(key, title, info) {
    this.values[key] = el("output", { class: "lpc-gamma-value", testid: `lpc-film-${key}-value`, text: "–" });
    return el("div", { class: `lpc-film-row lpc-film-${key}` }, el("div", { class: "lpc-gamma-head" }, title, this.values[key], info), this[key].element);
  }

  readout(key, name) {
    this.values[key] = el("dd", { testid: `lpc-film-${key}`, text: "–" });
    return el("div", {}, el("dt", { text: name }), this.values[key]);
  }

  open(film) {
    this.film = film;
    const [low, high] = [Math.log10(film.gammas[0]), Math.log10(film.gammas[film.G - 1])];
    this.shareOf = (gamma) => (Math.log10(gamma) - low) / (high - low);
    const decades = [];
    for (let e = Math.ceil(low - 1e-9); e <= high + 1e-9; e++) decades.push({ share: this.shareOf(10 ** e), text: formatDecade(e), minor: (e - Math.ceil(low)) % 2 === 1 });
    this.gamma.setStops(Array.from(film.gammas, this.shareOf), decades);
    const last = film.T - 1;
    this.time.setStops(Array.from(film.steps, (_, t) => t / last), quarterTicks(last, (t) => formatCount(film.steps[t])));
  }

  /** Run g at frame t: its numbers `row`, and where collapse sets in and is total at that frame. */
  show(g, t, row, marks) {
    this.gamma.show(g);
    this.time.show(t);
    for (const { url, element } of this.movies) element.href = `${url}&run=${g}`;
    const texts = {
      gamma: formatGamma(this.film.gammas[g]), time: formatCount(this.film.steps[t]), now: formatGamma(this.film.tensors.gamma.data[g * this.film.T + t]),
      radius: formatGamma(row.norm_mean), train: formatPercent(row.train_accuracy), test: formatPercent(row.test_accuracy),
    };
    for (const [key, text] of Object.entries(texts)) setText(this.values[key], text);
    this.showMarks(marks);
  }

  showMarks({ onset, total }) {
    const key = `${onset}|${total}`;
    if (key === this.marksKey) return;
    this.marksKey = key;
    const place = (gamma, className, title) => gamma && { share: this.shareOf(gamma), className, title: `${title}: γ = ${formatGamma(gamma)}` };
    this.gamma.setMarks([place(onset, "lpc-film-onset", tr("collapse sets in")), place(total, "lpc-film-total", tr("total collapse"))].filter(Boolean));
    const word = (className, text, gamma) => el("span", {}, el("i", { class: className }), el("span", { text }), el("b", { text: gamma ? `γ ${formatGamma(gamma)}` : "–" }));
    this.key.replaceChildren(word("lpc-film-onset", tr("collapse from"), onset), word("lpc-film-total", tr("total collapse from"), total));
  }
}

const link = (href, text, testid, title) => href && el("a", { class: "lpc-button", href, download: true, text, testid, title });
