// Keyboard control: what a key means to a live view and to a film, when nothing else has the keys.

export const TYPING = "input, textarea, select, [contenteditable=''], [contenteditable=true], [role=textbox], [role=combobox], [role=tab], [role=radio], [role=menuitem], [role=option]";
const PRESSING = `button, a[href], summary, ${TYPING}`;
export const TURNS = { ArrowLeft: [-12, 0], ArrowRight: [12, 0], ArrowUp: [0, -12], ArrowDown: [0, 12] };

/** Listens until the returned function is called; `choose(event, actions)` says what a key means. */
export function listen(choose, actions) {
  const onKey = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = choose(event, actions);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  document.addEventListener("keydown", onKey, true);
  return () => document.removeEventListener("keydown", onKey, true);
}

/** Space plays, "." steps, Shift+R resets, left and right move γ. actions: {play(), step(), reset(), nudge(decades), canTurn(), turn(dx, dy)}. */
export function chooseLive({ key, shiftKey, target, repeat }, actions) {
  const within = (selector) => target instanceof Element && target.closest(selector);
  const onGamma = within("[data-testid=lpc-gamma]");
  if (within(`${TYPING}, [role=slider]`) && !onGamma) return null;
  if (key === " " && !repeat && (onGamma || !within(PRESSING))) return actions.play;
  if (key === ".") return actions.step;
  if (key === "R" && shiftKey) return actions.reset;
  if (onGamma) return null; // the slider has its own arrows
  if (within(".lpc-inputs")) return null; // there arrows go from sample to sample
  if (within(".lpc-surface") && key in TURNS && actions.canTurn()) return () => actions.turn(...TURNS[key]);
  const by = { ArrowLeft: -1 / 20, ArrowRight: 1 / 20 }[key];
  return by ? () => actions.nudge(by) : null;
}

/** Left and right move γ, with Shift (or comma and full stop) time; space plays. actions: {play(), gamma(by), time(by), canTurn(), turn(dx, dy)}. */
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
