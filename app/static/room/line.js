// A page's line to its room, and what a reload must not lose: who this page is there.

import { Socket } from "../live/socket.js";

const random = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (number) => number.toString(36)).join("");

/** Tells the tabs of one browser apart: a copied tab has the same storage. */
export const TAB = random();

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

/** `first()` gives the word that the connection begins with, each time; handlers: {room(info), status(status), remark(text)}. */
export class RoomLine extends Socket {
  constructor(path, first, { room, status, remark }) {
    const url = new URL(path, document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    super(url.href, first, { room: ({ info }) => room(info), status, notice: ({ info }) => remark(info.text) });
  }

  opened() {
    this.send(this.token());
    this.handlers.status("open");
  }
}
