// What the classes of one moment are, as `lpc_core.phase`.

const [POINTLIKE, COMPACT] = [0.1, 0.5]; // spread within a class as a share of the mean radius
const OVERLAP = 1; // NC1 from which on the classes lie within one another
const CHANCE_MARGIN = 0.1; // of the way from guessing to perfect

export const Phase = { UNKNOWN: 0, CLOUDS: 1, FALLING: 2, COLLAPSED: 3, GUESSING: 4, TOTAL: 5 };

/** Whether an accuracy is hardly above that of guessing among so many classes; never for NaN. */
export const atChance = (accuracy, classes) => classes > 1 && accuracy <= 1 / classes + CHANCE_MARGIN * (1 - 1 / classes);

/** Of the accuracy, the spread within a class and NC1. */
export function phaseOf(accuracy, spread, nc1, classes) {
  const apart = nc1 < OVERLAP;
  if (atChance(accuracy, classes)) return apart ? Phase.GUESSING : Phase.TOTAL;
  if (!Number.isFinite(spread)) return Phase.UNKNOWN;
  return apart && spread < POINTLIKE ? Phase.COLLAPSED : apart && spread < COMPACT ? Phase.FALLING : Phase.CLOUDS;
}
