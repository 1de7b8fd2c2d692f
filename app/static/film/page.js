// The offline page's only script of its own: reads the film written into the page and plays it.

import { el } from "../kit/dom.js";
import { bytesIn, embedded, textIn } from "../kit/embedded.js";
import { formatCount } from "../kit/format.js";
import { tr } from "../kit/words.js";
import { FilmPlayer } from "./player.js";

/** What was trained, in one line. */
function captionOf({ info, G, T, n }) {
  const { config, title } = info;
  const [steps, samples] = [config.steps, n].map(formatCount);
  return `${tr("{title}, seed {seed}: {gammas} values of γ, {moments} moments of {steps} steps, {samples} samples.", { title: tr(title), seed: config.seed, gammas: G, moments: T, steps, samples })} `;
}

const player = new FilmPlayer(document.getElementById("film"), { buffer: bytesIn("film-data"), catalogue: JSON.parse(textIn("film-catalogue")), ...embedded(() => player) });
player.opened.then((film) => film && document.getElementById("about").prepend(el("span", { text: captionOf(film) })));
