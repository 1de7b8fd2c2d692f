// What the classes of one moment are, as `lpc_core.phase`.

const [POINTLIKE, COMPACT] = [0.1, 0.5]; // spread within a class as a share of the mean radius
const OVERLAP = 1; // NC1 from which on the classes lie within one another
const CHANCE_MARGIN = 0.1; // of the way from guessing to perfect

export const [UNKNOWN, CLOUDS, FALLING, COLLAPSED, GUESSING, TOTAL] = [0, 1, 2, 3, 4, 5];

/** Whether an accuracy is hardly above that of guessing among so many classes; never for NaN. */
export const atChance = (accuracy, classes) => classes > 1 && accuracy <= 1 / classes + CHANCE_MARGIN * (1 - 1 / classes);

/** Of the accuracy, the spread within a class and NC1. */
export function phaseOf(accuracy, spread, nc1, classes) {
  const apart = nc1 < OVERLAP;
  if (atChance(accuracy, classes)) return apart ? GUESSING : TOTAL;
  if (!Number.isFinite(spread)) return UNKNOWN;
  return apart && spread < POINTLIKE ? COLLAPSED : apart && spread < COMPACT ? FALLING : CLOUDS;
}
