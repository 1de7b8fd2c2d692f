// What the classes of a moment are, as `lpc_core.phase`: the one definition of "collapsed" and of "total collapse", for a page without a lab.

const [COLLAPSED, FALLING, OVERLAP, CHANCE_MARGIN] = [0.1, 0.5, 1, 0.1];

/** Whether an accuracy is hardly above that of guessing among `classes`. */
export const atChance = (accuracy, classes) => classes > 1 && accuracy <= 1 / classes + CHANCE_MARGIN * (1 - 1 / classes);

/** "unknown", "clouds", "falling", "collapsed", "guessing" or "total". */
export function phaseOf(accuracy, spread, nc1, classes) {
  const apart = nc1 < OVERLAP;
  if (atChance(accuracy, classes)) return apart ? "guessing" : "total";
  if (!Number.isFinite(spread)) return "unknown";
  if (!apart || spread >= FALLING) return "clouds";
  return spread < COLLAPSED ? "collapsed" : "falling";
}
