// One plain sentence on what is happening now, as `app.training.narrate`: a table of cases, of which the first that fits is told.

const SEPARABLE = 0.999; // training accuracy from which the terminal phase is said to begin
const NEAR = 0.9; // accuracy
const [TWO_PEAKS, EVEN] = [5, 0.15]; // peak distance of the worst node in peak widths; variation of |z| over mean |z|
const WARM_UP_STEPS = 100;
const [COLLAPSED, FALLING, OVERLAP, CHANCE_MARGIN] = [0.1, 0.5, 1, 0.1]; // as `lpc_core.phase`, the one definition of "collapsed" and of "total collapse"

const CASES = [
  [(s) => s.step === 0, "Nothing is learned yet: the points lie where the random initial weights put them."],
  [(s) => s.lost && s.phase === "total", "Total collapse: γ has outrun the head, the classes lie within one another, and accuracy fell to {accuracy}, which is chance."],
  [(s) => s.lost, "γ has outrun the head: accuracy fell to {accuracy}, which is chance, though the classes still lie apart."],
  [(s) => s.accuracy < s.before - 0.1 && s.gamma > 0, "Accuracy is dropping, to {accuracy}: γ pulls harder than the head can push."],
  [(s) => s.gamma === 0 && s.accuracy >= SEPARABLE, "γ is 0: the classes are separable, and nothing pulls points of one class together."],
  [(s) => s.gamma === 0, "γ is 0, so there is no penalty: {accuracy} of the training samples are right."],
  [(s) => s.accuracy < NEAR, "The network is learning to tell the classes apart: {accuracy} of the training samples are right."],
  [(s) => s.accuracy < SEPARABLE && s.phase === "collapsed", "Each class is nearly one point, but {wrong} of the samples sit at a wrong one."],
  [(s) => s.accuracy < SEPARABLE, "Almost separable: {wrong} of the training samples are still wrong."],
  [(s) => s.phase === "clouds" && s.before < SEPARABLE, "The classes have just become separable; γ is still too weak to matter."],
  [(s) => s.phase === "clouds", "The classes are separable; γ is still too weak to draw their points together (spread {spread} of the radius)."],
  [(s) => s.phase === "falling", "Same-class points are falling together: spread {spread} of the radius."],
  [(s) => s.binary && s.predicted, "Collapsed to a binary code: each class is one point to within {spread} of the radius, {error} of the radius away from the predicted one, and every node takes two opposite values."],
  [(s) => s.binary, "Collapsed to a binary code: each class is one point to within {spread} of the radius, and every node takes two opposite values."],
  [(s) => s.phase === "collapsed" && s.predicted, "Collapsed: each class is one point to within {spread} of the radius, {error} of the radius away from the predicted one."],
  [(s) => s.phase === "collapsed", "Collapsed: each class is one point to within {spread} of the radius."],
  [(s) => s.accuracy >= SEPARABLE, "The classes are separable."],
];

/** What is happening in `snapshot`, as [text with places {…}, what stands in them]; `previous` was measured before it, or is null; `learnt`: the run was once better than guessing. "" when nothing was measured. */
export function sentence(snapshot, previous, learnt) {
  const { metrics, step, gamma, reason, K } = snapshot;
  const accuracy = metrics.train_accuracy ?? NaN;
  if (reason || !Object.keys(metrics).length) return [reason, {}];
  const scene = {
    step, gamma, accuracy, wrong: 1 - accuracy, before: previous?.metrics.train_accuracy ?? NaN, spread: metrics.within_class_spread,
    peaks: metrics.node_peak_distance_min, uneven: metrics.abs_cv, error: metrics.point_error, phase: phaseOf(accuracy, metrics.within_class_spread, metrics.nc1_pinv, K),
  };
  scene.lost = atChance(accuracy, K) && step > WARM_UP_STEPS && (learnt || outrun(snapshot));
  scene.binary = scene.phase === "collapsed" && scene.peaks > TWO_PEAKS && scene.uneven < EVEN;
  scene.predicted = Number.isFinite(scene.error);
  const text = CASES.find(([fits]) => fits(scene))?.[1] ?? "";
  return [text, Object.fromEntries([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, percent(scene[name])]))];
}

/** Whether even the predicted points are hardly more probable than a guess under the present head. */
function outrun({ collapse_points: points, weight, bias, K, d }) {
  if (!points?.every(Number.isFinite)) return false;
  let sum = 0;
  for (let y = 0; y < K; y++) {
    const logits = Array.from(bias, (b, k) => points.subarray(y * d, (y + 1) * d).reduce((total, z, j) => total + z * weight[k * d + j], b));
    sum += 1 / logits.reduce((total, logit) => total + Math.exp(logit - logits[y]), 0);
  }
  return sum / K < 1.5 / K;
}

function percent(share) {
  const value = 100 * share;
  if (value < 10) return `${short(value, 2)} %`;
  return `${share < 1 ? short(Math.min(value, 99.9), 3) : value.toFixed(0)} %`;
}

/** So many digits that count, without zeros at the end; as Python's "g". */
function short(value, digits) {
  const text = Number(value.toPrecision(digits));
  return text !== 0 && Math.abs(text) < 1e-4 ? text.toExponential().replace(/e([+-])(\d)$/, "e$10$2") : String(text);
}

/** Whether an accuracy is hardly above that of guessing among `classes`. */
export const atChance = (accuracy, classes) => classes > 1 && accuracy <= 1 / classes + CHANCE_MARGIN * (1 - 1 / classes);

/** "unknown", "clouds", "falling", "collapsed", "guessing" or "total". */
function phaseOf(accuracy, spread, nc1, classes) {
  const apart = nc1 < OVERLAP;
  if (atChance(accuracy, classes)) return apart ? "guessing" : "total";
  if (!Number.isFinite(spread)) return "unknown";
  if (!apart || spread >= FALLING) return "clouds";
  return spread < COLLAPSED ? "collapsed" : "falling";
}
