// A page's line to its room, and what a reload must not lose: who this page is there.

import { Socket } from "../live/socket.js";

/** Until a room is asked again that cannot take this page now. */
export const AGAIN_MS = 5_000;

const random = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (number) => number.toString(36)).join("");

/** What is kept under `name` until the tab is closed; null where nothing is, or nothing can be. */
export function recall(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return null; // storage is forbidden here, or somebody else wrote into it
  }
}

export function remember(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    // storage is forbidden here: a reload then begins anew
  }
}

const KEPT = "lpc-tab";
const REPLACED = 4409; // a newer connection has this page's place
const reloaded = performance.getEntriesByType("navigation")[0]?.type === "reload";
let tab = (reloaded && recall(KEPT)) || newTab();

/** Tells the tabs of one browser apart, of which a copied one has the same storage; it outlives a reload, whose old line may not have ended yet. */
export const tabName = () => tab;

function newTab() {
  const name = random();
  remember(KEPT, name);
  return name;
}

/** `first()` gives the word that the connection begins with, each time; handlers: {room(info), status(status), remark(text)}. */
export class RoomLine extends Socket {
  constructor(path, first, { room, status, remark }) {
    const url = new URL(path, document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    super(url.href, first, { room: ({ info }) => room(info), status, notice: ({ info }) => remark(info.text) });
  }

  opened() {
    this.send(this.hello());
    this.handlers.status("open");
  }

  /** Whoever took this page's place called itself as it does: a copy, so this page is another one from now on. */
  lost(code) {
    if (code === REPLACED) tab = newTab();
    super.lost(code);
  }
}
