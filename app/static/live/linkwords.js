// The words of a link to a live view: its run's step and γ by hand, how it is looked at, and what stands beside it.

import { layersWord, lookWords, short, word } from "../kit/sharing.js";

const MOST_STEPS = 10_000; // that are replayed

/** view: a `LiveView` that has come to its first run. */
export function liveWords(view) {
  const { views, gamma, layers, curves } = view;
  const step = () => view.info?.step ?? 0;
  return {
    view: word(() => textOf(views), () => view.usualView(), (text) => look(views, text)),
    ...lookWords(() => view.first),
    off: layersWord(layers, () => view.usualOff()),
    against: word(() => curves.x, () => "step", (text) => curves.setX(text)),
    ...view.ownWords(),
    at: [() => (step() > 0 && step() <= MOST_STEPS ? String(step()) : ""), (text, { hand }) => replay(view, Number(text), hand)],
    hand: [() => (gamma.mode === "hand" ? short(gamma.value) : ""), (text, { at }) => void (at ?? gamma.set(Number(text)))],
  };
}

const textOf = ({ d, view: { projection, dims, nodes } }) => (d < 3 ? "" : projection === "pca" ? `pca${dims}` : `n${nodes.slice(0, dims).join("-")}`);

/** A view that the run has not is left out. */
function look(views, text) {
  const pca = text.startsWith("pca");
  const nodes = pca ? [0, 1] : text.slice(1).split("-").map(Number);
  if (views.d > 2 && new Set(nodes).size === nodes.length && nodes.every((node) => node < views.d)) views.change({ projection: pca ? "pca" : "nodes", dims: pca ? Number(text[3]) : nodes.length, nodes });
}

/** Goes to a step as fast as it can, and stands there; γ by hand is taken when it has come so far. */
function replay(view, at, hand) {
  view.arriving = { at, hand };
  view.send({ type: "speed", steps_per_second: 0 });
  view.send({ type: "replay", step: at });
}

/** Whether the run has come to where the link wants it, or to its end: at the page's own speed from here on. */
export function arrive(view, { state, step }) {
  const { arriving, transport, gamma } = view;
  if (!arriving || (state === "paused" ? step !== arriving.at : state === "running")) return;
  view.arriving = null;
  transport.chooseSpeed();
  if (arriving.hand !== undefined) gamma.set(Number(arriving.hand));
}
