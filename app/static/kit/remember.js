// What a reader chose in this browser, for the next visit: texts by name; a browser that forbids it forgets.

const PREFIX = "lpc-";

/** The text kept under `name`, or null. */
export const recall = (name) => kept("localStorage", (store) => store.getItem(PREFIX + name));

export const remember = (name, text) => kept("localStorage", (store) => store.setItem(PREFIX + name, text));

/** A page in a sandbox or with cookies refused may not even look: then null. */
export function kept(where, work) {
  try {
    return work(window[where]);
  } catch {
    return null;
  }
}
