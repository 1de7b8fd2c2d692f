// The words behind every ⓘ: those of `app/abouts.py`, of a chart's metrics, and what depends on the run.

import { tr } from "./words.js";

const known = {};

/** {key: {title, text, look, terms: [[term, meaning]], lesson: {name, title} | null}}, as the server or the page's file has them. */
export function learn(abouts = {}) {
  Object.assign(known, abouts);
}

/** [title, text, more] by key, "curve-…" for a chart; `setup` is the run's setup info (its Catalogue among it), for what depends on it. `more` is the rest of an about. */
export function explanation(key, setup) {
  if (key.startsWith("curve-")) return chartText(setup.catalogue.chart(key.slice("curve-".length)), setup);
  const { title = key, text = "", ...more } = known[key] ?? {};
  return [tr(title), [tr(text), NOTES[key]?.(setup ?? {})].filter(Boolean).join(" "), more];
}

const CONVENTIONS = {
  sum: tr("Here γ multiplies ‖z‖² summed over the nodes, as in the paper's equation."),
  mean: tr("Here γ multiplies ‖z‖² averaged over the nodes, as in the authors' code: d times weaker than in the paper's equation at the same γ."),
};

const NOTE = tr("the theory does not apply."); // by itself: `make words` looks for no text among the values of another
const theoryNote = ({ theory, theory_note: note }) => (theory === false ? tr("In this run no prediction is drawn: {note}", { note: tr(note) || NOTE }) : "");

const NOTES = {
  gamma: ({ convention }) => CONVENTIONS[convention], shell: theoryNote, points: theoryNote,
  "film-marks": ({ catalogue: { phases = {} } = {} }) => `${phases.collapsed} ${phases.total} ${tr("Where that begins depends on the length of the ramp and the classifier's learning rate, not on the data alone.")}`,
};

const chartText = ({ title, about, theory }, setup) => [title, [about, theory && theoryNote(setup)].filter(Boolean).join(" "), {}];
