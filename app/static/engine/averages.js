// Means and variation of numbers, as the metrics take them: what is NaN is left out, what cannot be had is NaN.

/** Mean of those values that are not NaN; NaN where none is. */
export function mean(values) {
  let [sum, used] = [0, 0];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    used += 1;
  }
  return used ? sum / used : NaN;
}

/** Standard deviation over mean of sizes; NaN where the mean is not above 0. */
export function spreadOver(sizes, middle = mean(sizes)) {
  let sum = 0;
  for (const size of sizes) sum += (size - middle) ** 2;
  return middle > 0 ? Math.sqrt(sum / sizes.length) / middle : NaN;
}
