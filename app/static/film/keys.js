// Keyboard control of the player: left and right move γ, with Shift (or comma and full stop) time; space plays.

import { PRESSING, TURNS, TYPING } from "../kit/keys.js";

/** actions: {play(), gamma(by), time(by), canTurn(), turn(dx, dy)}. */
export function chooseFilm({ key, shiftKey, target, repeat }, actions) {
  const within = (selector) => target instanceof Element && target.closest(selector);
  if (within(TYPING)) return null;
  if (key === " " && !repeat && !within(PRESSING)) return actions.play;
  if (key === ",") return () => actions.time(-1);
  if (key === ".") return () => actions.time(1);
  const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (by && shiftKey) return () => actions.time(by);
  if (within("[role=slider]")) return null; // a slider has its own arrows
  if (within(".lpc-surface") && key in TURNS && actions.canTurn()) return () => actions.turn(...TURNS[key]);
  return by ? () => actions.gamma(by) : null;
}
