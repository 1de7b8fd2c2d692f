// The microscope's words, and its numbers as CSV.

import { formatCount, power } from "../kit/format.js";
import { tr } from "../kit/words.js";
import { GRID_PX, called, stepPx } from "./scopefigures.js";

export function classSentence(about, name) {
  const steps = about.median / about.step;
  const size = steps < 1 ? tr("less than one float32 step: the class has collapsed as far as these numbers can tell") : tr("{steps} float32 steps", { steps: power(steps) });
  const told = { n: formatCount(about.members.length), name: called(name), median: power(about.median), size, share: power((100 * about.median) / about.nearestOther) };
  return Number.isFinite(about.nearestOther)
    ? tr("Half of the {n} samples of {name} lie within {median} of their mean. That is {share} % of the way to the nearest other class, and {size}.", told)
    : tr("Half of the {n} samples of {name} lie within {median} of their mean. That is {size}.", told);
}

export function viewCaption(about, nodes, half) {
  const steps = (2 * half) / about.step;
  const seen = about.inside(nodes, half);
  const wide = tr("The view is {width} wide, {steps} float32 steps.", { width: power(2 * half), steps: power(steps) });
  const counts = { seen: formatCount(seen), all: formatCount(about.members.length) };
  const share = seen === about.members.length ? tr("All samples of the class are inside.") : seen ? tr("{seen} of the {all} samples of the class are inside.", counts) : tr("No sample of the class is inside.");
  const grid = stepPx(about.step, half) < GRID_PX ? "" : ` ${tr("The dotted grid is all that float32 can hold here: a sample can lie on its crossings only, and a larger mark is several samples on one.")}`;
  return `${wide} ${share}${grid}`;
}

export function cloudCsv(about) {
  const head = ["sample", ...Array.from(about.mean, (_, j) => `z${j + 1}_minus_mean`)].join();
  return [head, ...about.members.map((i) => [i, ...about.offset(i)].join()), ""].join("\r\n");
}

export function distanceCsv(about) {
  return ["sample,distance", ...about.members.map((i, k) => `${i},${about.distances[k]}`), ""].join("\r\n");
}
