// A page's line to its room, and what a reload must not lose: who this page is there.

import { kept } from "../kit/remember.js";
import { Socket } from "../live/socket.js";

/** Until a room is asked again that cannot take this page now. */
export const AGAIN_MS = 5_000;

/** What is kept under `name` until the tab is closed; null where nothing is, or nothing of ours, or nothing can be. */
export const recall = (name) => kept("sessionStorage", (store) => JSON.parse(store.getItem(name)));

export function remember(name, value) {
  kept("sessionStorage", (store) => (value === null ? store.removeItem(name) : store.setItem(name, JSON.stringify(value))));
}

const KEPT = "lpc-tab";
const REPLACED = 4409; // a newer connection has this page's place
const reloaded = performance.getEntriesByType("navigation")[0]?.type === "reload";
let tab = (reloaded && recall(KEPT)) || newTab();

/** Tells the tabs of one browser apart, of which a copied one has the same storage; it outlives a reload, whose old line may not have ended yet. */
export const tabName = () => tab;

function newTab() {
  const name = Array.from(crypto.getRandomValues(new Uint32Array(4)), (number) => number.toString(36)).join("");
  remember(KEPT, name);
  return name;
}

export class RoomLine extends Socket {
  /** `page` has firstWord(), and hears: told(room), statusIs(status), say({trouble}). */
  constructor(path, page) {
    super(path, () => page.firstWord(), { room: ({ info }) => page.told(info), status: (status) => page.statusIs(status), notice: ({ info }) => page.say({ trouble: info.text }) });
  }

  /** Whoever took this page's place called itself as it does: a copy, so this page is another one from now on. */
  lost(code) {
    if (code === REPLACED) tab = newTab();
    super.lost(code);
  }
}
