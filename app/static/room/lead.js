// Above a run: buttons to present it and to open a room; the room's panel: its code, who is here, what they predict.

import { keeping } from "../kit/component.js";
import { button, el, setText } from "../kit/dom.js";
import { Part } from "../kit/part.js";
import { tr } from "../kit/words.js";
import { Answers } from "./answers.js";
import { leading } from "./leading.js";
import { Presenting } from "./present.js";
import { Who } from "./who.js";

const WHAT = tr("Others see this very run on their own devices, follow your γ, pause and lesson, predict, and may take their own hands. No accounts, and nothing is kept.");

const WIDTH = "--lpc-lead";
const ROOT = document.documentElement.style;
let newest = null; // a page goes after the next one has come, whose the room and the projector are then

/** props: {roomPath, run: a run's token, where: {page, lesson, index}, question: {words, options} | null, base: the address of the room's page, note}. */
export class Lead extends Part {
  constructor(element, props) {
    super(element, props, { className: "lpc-lead", testid: "lpc-lead", sheets: ["room/room.css"] });
    newest = this;
    this.build();
    this.begin();
  }

  build() {
    this.present = button(tr("Present"), "lpc-present", () => this.presenting?.toggle(), { "aria-pressed": "false" });
    this.spot = button(tr("Spotlight"), "lpc-spotlight-button", () => this.presenting.toggleLight(), { "aria-pressed": "false", hidden: true, title: tr("A circle of light follows the pointer (S)") });
    this.room = button(tr("Room"), "lpc-room", () => this.unfold(this.panel.hidden), { "aria-expanded": "false", "aria-controls": "lpc-room-panel" });
    this.invitation = el("span", { class: "lpc-lead-invitation", testid: "lpc-room-invitation" });
    this.panel = el("section", { class: "lpc-room-panel", id: "lpc-room-panel", "aria-label": tr("Room"), hidden: true, testid: "lpc-room-panel" }, ...this.closed(), this.opened());
    this.escape = (event) => event.key === "Escape" && this.unfold(false);
    this.bar = el("div", { class: "lpc-lead-bar" }, this.invitation, this.spot, this.present, this.room);
    this.root.append(this.bar, this.panel);
    this.observer = new ResizeObserver(() => ROOT.setProperty(WIDTH, `${this.bar.offsetWidth}px`)); // which the pages' links leave free
    this.observer.observe(this.bar);
  }

  closed() {
    this.trouble = el("p", { class: "lpc-room-trouble", role: "alert", hidden: true, testid: "lpc-room-trouble" });
    this.door = el("div", { class: "lpc-room-door" }, el("p", { text: WHAT }), button(tr("Open a room"), "lpc-room-open", () => leading.open()));
    return [this.trouble, this.door];
  }

  opened() {
    this.code = el("strong", { class: "lpc-room-code", testid: "lpc-room-code" });
    this.picture = el("img", { class: "lpc-room-qr", alt: tr("The room's address as a QR code"), testid: "lpc-room-qr" });
    this.address = el("p", { class: "lpc-room-address", testid: "lpc-room-address" });
    this.note = el("p", { class: "lpc-hint" });
    this.who = new Who();
    this.answers = new Answers();
    this.halt = button("", "lpc-room-halt", () => leading.halt(!leading.room.halted));
    this.end = button(tr("End the room"), "lpc-room-end", () => leading.end());
    const invitation = el("div", { class: "lpc-room-invite" }, this.picture, el("div", {}, this.code, this.address, this.note));
    return (this.inside = el("div", { class: "lpc-room-inside" }, invitation, el("div", { class: "lpc-room-buttons" }, this.halt, this.end), this.answers.element, this.who.element));
  }

  async begin() {
    if (!await this.styled()) return;
    this.presenting = new Presenting(() => this.request());
    this.announce();
  }

  announce() {
    leading.show(this.props.roomPath, this.props.run, this.props.where, () => this.request());
    this.request();
  }

  unfold(open) {
    this.panel.hidden = !open;
    this.room.setAttribute("aria-expanded", String(open));
    if (open) document.addEventListener("keydown", this.escape);
    else {
      document.removeEventListener("keydown", this.escape);
      this.room.focus();
    }
  }

  draw() {
    const { room, trouble } = leading;
    const { on, shines } = this.presenting;
    this.trouble.hidden = !trouble;
    setText(this.trouble, trouble);
    this.door.hidden = Boolean(room);
    this.inside.hidden = !room;
    this.present.setAttribute("aria-pressed", String(on));
    this.spot.hidden = !on;
    this.spot.setAttribute("aria-pressed", String(shines));
    setText(this.room, room ? `${tr("Room {code}", room)} · ${room.members.filter(({ here }) => here).length}` : tr("Room"));
    setText(this.invitation, on && room ? `${this.props.base.replace(/^https?:\/\//, "")} · ${room.code}` : "");
    if (room) this.drawRoom(room);
  }

  drawRoom(room) {
    const link = `${this.props.base}?code=${room.code}`;
    const source = new URL(`lab/qr.svg?text=${encodeURIComponent(link)}`, document.baseURI).href;
    if (this.picture.src !== source) this.picture.src = source;
    setText(this.code, room.code);
    setText(this.address, link);
    setText(this.note, this.props.note);
    setText(this.halt, room.halted ? tr("Let all go on") : tr("Pause all"));
    this.halt.setAttribute("aria-pressed", String(room.halted));
    this.who.show(room.members);
    this.answers.show(this.props.question, room.answers);
  }

  update(props) {
    super.update(props);
    if (this.presenting) this.announce();
  }

  destroy() {
    super.destroy();
    document.removeEventListener("keydown", this.escape);
    this.presenting?.destroy(newest === this);
    this.observer.disconnect();
    if (newest !== this) return;
    ROOT.removeProperty(WIDTH);
    leading.leave();
  }
}

export default keeping((element, data) => new Lead(element, data));
