// Keyboard control: space plays, "." steps, Shift+R resets, left and right move γ when nothing else has the keys.

export const TYPING = "input, textarea, select, [contenteditable=''], [contenteditable=true], [role=textbox], [role=combobox], [role=tab], [role=radio], [role=menuitem], [role=option]";
export const PRESSING = `button, a[href], summary, ${TYPING}`;
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

/** actions: {play(), step(), reset(), nudge(decades), canTurn(), turn(dx, dy)}. */
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
  if (key === "ArrowLeft") return () => actions.nudge(-1 / 20);
  if (key === "ArrowRight") return () => actions.nudge(1 / 20);
  return null;
}
