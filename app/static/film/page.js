// The offline page's only script of its own: reads the film written into the page and plays it.

import { el } from "../kit/dom.js";
import { FilmPlayer } from "./player.js";
import { readTheme } from "../kit/theme.js";

const dark = window.matchMedia("(prefers-color-scheme: dark)");

function bytesOf(base64) {
  const text = atob(base64.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

function paint() {
  const { background, text } = readTheme(document.body, dark.matches);
  Object.assign(document.body.style, { background, color: text });
}

/** What was trained, in one line. */
function captionOf({ info, G, T, n }) {
  const { config, title } = info;
  return `${title}, seed ${config.seed}: ${G} values of γ, ${T} moments of ${config.steps.toLocaleString("en-US")} steps, ${n.toLocaleString("en-US")} samples. `;
}

const host = document.getElementById("film");
const contents = (id) => document.getElementById(id).textContent;
const player = new FilmPlayer(host, { buffer: bytesOf(contents("film-data")), catalogue: JSON.parse(contents("film-catalogue")), Plotly: window.Plotly, dark: dark.matches, styled: true });
player.opened.then((film) => film && document.getElementById("about").prepend(el("span", { text: captionOf(film) })));
paint();
dark.addEventListener("change", () => {
  paint();
  player.update({ dark: dark.matches });
});
