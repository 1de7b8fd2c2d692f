// The room that this document leads, if it does: one for all its pages, which come and go.

import { said, tr } from "../kit/words.js";
import { AGAIN_MS, RoomLine, recall, remember, tabName } from "./line.js";

const KEPT = "lpc-room-led"; // {code, secret}
const NOWHERE = { page: "", lesson: "", index: 0 };

class Leading {
  constructor() {
    Object.assign(this, { line: null, room: null, trouble: "", path: "", run: "", where: NOWHERE, changed: () => {}, wished: null });
  }

  /** A page shows the run of this token, there; `changed()` hears of the room. A room led before is led on. */
  show(path, run, where, changed) {
    const news = run !== this.run || JSON.stringify(where) !== JSON.stringify(this.where);
    Object.assign(this, { path, run, where, changed });
    if (!this.line && recall(KEPT)) this.connect();
    else if (news) this.sayWhere();
  }

  /** The page that showed it has gone; another may come. */
  leave() {
    Object.assign(this, { run: "", where: NOWHERE, changed: () => {} });
    this.sayWhere();
  }

  open() {
    remember(KEPT, null);
    this.connect();
  }

  connect() {
    clearTimeout(this.retry);
    this.line?.close();
    this.line = new RoomLine(this.path, this);
  }

  firstWord() {
    const kept = recall(KEPT);
    return kept ? { type: "lead", ...kept, tab: tabName() } : { type: "open", run: this.run, tab: tabName(), where: this.where };
  }

  statusIs(status) {
    if (status === "open") this.begins = true;
    this.say({ trouble: status === "open" || status === "connecting" ? "" : tr("Reconnecting…") });
  }

  told(info) {
    if (info.refused || info.over) return this.ended(info);
    remember(KEPT, { code: info.code, secret: info.secret });
    this.say({ room: info, trouble: "" });
    if (info.halted === this.wished) this.wished = null;
    if (this.begins) this.sayAll();
    this.begins = false;
  }

  /** The room is over, or led elsewhere. */
  ended({ refused, again, over }) {
    this.line.close();
    Object.assign(this, { line: null, wished: null });
    if (again) this.retry = setTimeout(() => this.connect(), AGAIN_MS);
    else remember(KEPT, null);
    this.say({ room: null, trouble: said(refused ?? over) });
  }

  /** On a new line, also what may have been lost with the old one. */
  sayAll() {
    this.sayWhere();
    if (this.wished !== null) this.halt(this.wished);
  }

  sayWhere() {
    this.line?.send({ type: "at", run: this.run, where: this.where });
  }

  halt(halted) {
    this.wished = halted; // until the room says so
    this.line?.send({ type: "halt", halted });
  }

  end() {
    this.line?.send({ type: "end" });
  }

  say(what) {
    Object.assign(this, what);
    this.changed();
  }
}

export const leading = new Leading();
