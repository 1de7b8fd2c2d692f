// The words of a link to a moment of a film: which run, when, whether it plays, and how it is looked at.

import { REDUCED } from "../kit/dom.js";
import { layersWord, lookWords, panelWords, short } from "../kit/sharing.js";

/** player: a `FilmPlayer` whose film is there. */
export function filmWords(player) {
  const { film, latents, layers, curves, nodes } = player;
  return {
    ...lookWords(() => latents),
    off: layersWord(layers, () => player.usualOff()),
    ...panelWords(curves, nodes),
    hand: [() => (player.g === player.usualRun() ? "" : short(film.gammas[player.g])), (text) => player.go(film.nearest(Number(text)), player.t)],
    at: [() => (player.t === film.T - 1 ? "" : String(film.steps[player.t])), (text) => player.go(player.g, film.frameAt(Number(text)))],
    play: [() => (player.playing ? "1" : ""), () => REDUCED.matches || player.playing || player.togglePlay()],
  };
}
