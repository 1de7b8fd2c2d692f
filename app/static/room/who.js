// Who is in the room and where: how many follow, and a line for each, by number and the name they chose.

import { el, setText } from "../kit/dom.js";
import { tr } from "../kit/words.js";

export class Who {
  constructor() {
    this.sum = el("p", { class: "lpc-room-sum", role: "status", testid: "lpc-room-sum" });
    this.list = el("ul", { class: "lpc-room-members", tabindex: "0", role: "list", "aria-label": tr("Who is in the room"), testid: "lpc-room-members" });
    this.element = el("section", { "aria-label": tr("Who is here") }, this.sum, this.list);
  }

  show(members) {
    const here = members.filter((member) => member.here);
    const own = here.filter((member) => member.own).length;
    setText(this.sum, here.length ? tr("{n} here: {follow} follow, {own} with their own hands", { n: here.length, follow: here.length - own, own }) : tr("Nobody has come in yet."));
    const lines = members.map(describe);
    this.list.hidden = !lines.length;
    if (String(lines) === this.lines) return;
    this.lines = String(lines);
    this.list.replaceChildren(...lines.map((text) => el("li", { text })));
  }
}

export function describe({ number, name, here, own, lesson, index }) {
  const hands = () => (lesson ? tr("own hands, {lesson}, step {n}", { lesson, n: index + 1 }) : tr("own hands"));
  const does = !here ? tr("away") : own ? hands() : tr("follows");
  return `${number}${name ? ` · ${name}` : ""}: ${does}`;
}
