// Ticks of a logarithmic axis: every decade or every few, or 1, 3, or 1, 2, 5 of each where it spans little.

import { formatDecade, formatTick } from "../kit/format.js";

const FACTORS = [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]];

/** {tickvals, ticktext} for log₁₀ from…to with room for about `most` labels. */
export function logTicks(from, to, most = 4.5) {
  const fine = FACTORS.map((factors) => within(from, to, factors)).find((ticks) => ticks.length <= most && ticks.length > 1);
  const plain = within(from, to, [1]);
  if (fine && plain.length < 3) return { tickvals: fine, ticktext: fine.map(formatTick) };
  const every = Math.max(1, Math.ceil(plain.length / most));
  const tickvals = plain.filter((value) => Math.round(Math.log10(value)) % every === 0);
  return { tickvals, ticktext: tickvals.map((value) => formatDecade(Math.round(Math.log10(value)))) };
}

function within(from, to, factors) {
  const inside = (at) => at >= from - 1e-9 && at <= to + 1e-9;
  const decades = Array.from({ length: Math.ceil(to) - Math.floor(from) + 1 }, (_, i) => Math.floor(from) + i);
  return decades.flatMap((e) => factors.filter((factor) => inside(e + Math.log10(factor))).map((factor) => Number(`${factor}e${e}`)));
}
