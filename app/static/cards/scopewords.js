// The microscope's words, and its numbers as CSV.

import { formatCount } from "../kit/format.js";
import { power } from "../kit/power.js";
import { GRID_PX, called, stepPx } from "./scopefigures.js";

export function classSentence(about, name) {
  const steps = about.median / about.step;
  const near = Number.isFinite(about.nearestOther) ? `${power((100 * about.median) / about.nearestOther)} % of the way to the nearest other class, and ` : "";
  const size = steps < 1 ? "less than one float32 step: the class has collapsed as far as these numbers can tell" : `${power(steps)} float32 steps`;
  return `Half of the ${formatCount(about.members.length)} samples of ${called(name)} lie within ${power(about.median)} of their mean. That is ${near}${size}.`;
}

export function viewCaption(about, nodes, half) {
  const steps = (2 * half) / about.step;
  const seen = about.inside(nodes, half);
  const share = seen === about.members.length ? "all samples of the class are" : seen ? `${formatCount(seen)} of the ${formatCount(about.members.length)} samples of the class are` : "no sample of the class is";
  const wide = `The view is ${power(2 * half)} wide, ${power(steps)} float32 steps; ${share} inside.`;
  return stepPx(about, half) < GRID_PX ? wide : `${wide} The dotted grid is all that float32 can hold here: a sample can lie on its crossings only, and a larger mark is several samples on one.`;
}

export function cloudCsv(about) {
  const head = ["sample", ...Array.from(about.mean, (_, j) => `z${j + 1}_minus_mean`)].join();
  return [head, ...about.members.map((i) => [i, ...about.offset(i)].join()), ""].join("\r\n");
}

export function distanceCsv(about) {
  return ["sample,distance", ...about.members.map((i, k) => `${i},${about.distances[k]}`), ""].join("\r\n");
}
