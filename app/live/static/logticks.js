// Ticks of a logarithmic axis: decades, or 1, 2 and 5 of each where it spans less than two.

import { formatDecade, formatTick } from "./format.js";

/** {tickvals, ticktext} for log₁₀ from…to with room for about `most` labels. */
export function logTicks(from, to, most = 4.5) {
  const every = Math.max(1, Math.ceil((to - from) / most));
  const factors = to - from < 0.7 ? [1, 1.5, 2, 3, 5, 7] : to - from < 1.7 ? [1, 2, 5] : [1];
  const [tickvals, ticktext] = [[], []];
  for (let e = Math.floor(from); e <= Math.ceil(to); e++) {
    for (const factor of factors.length === 1 && e % every !== 0 ? [] : factors) {
      tickvals.push(factor * 10 ** e);
      ticktext.push(factors.length === 1 ? formatDecade(e) : formatTick(factor * 10 ** e));
    }
  }
  return { tickvals, ticktext };
}
