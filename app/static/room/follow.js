// On the room's page: who I am here, and whether I follow or have my own hands; it carries predictions to the leader.

import { keeping } from "../kit/component.js";
import { button, el, setText } from "../kit/dom.js";
import { Part } from "../kit/part.js";
import { said, tr } from "../kit/words.js";
import { AGAIN_MS, RoomLine, tabName } from "./line.js";
import { Mine } from "./mine.js";

/** props: {roomPath, code, where: what the page shows, run: the token of one's own run or "", tell(message)}. */
class Follow extends Part {
  constructor(element, props) {
    super(element, props, { className: "lpc-follow", testid: "lpc-follow", sheets: ["room/room.css"] });
    Object.assign(this, { room: null, trouble: "", asked: "", wished: "", mine: new Mine(props.code), shownName: "" });
    this.build();
    this.begin();
  }

  build() {
    this.me = el("span", { class: "lpc-follow-me", testid: "lpc-follow-me" });
    this.name = el("input", { class: "lpc-follow-name", maxlength: 20, placeholder: tr("name, if you like"), "aria-label": tr("What you want to be called; the leader sees it"), autocomplete: "off", testid: "lpc-follow-name", on: { change: () => this.called(this.name.value) } });
    this.state = el("span", { class: "lpc-follow-state", role: "status", testid: "lpc-follow-state" });
    this.hands = button(tr("My own hands"), "lpc-follow-hands", () => this.wish(this.props.run ? "follow" : "hands"));
    this.root.append(this.me, this.name, this.state, el("span", { class: "lpc-follow-buttons" }, this.hands, button(tr("Leave"), "lpc-follow-leave", () => this.props.tell({ what: "leave" }))));
    this.hear = ({ detail }) => this.predicted(detail);
  }

  async begin() {
    if (!await this.styled()) return;
    document.addEventListener("lpc-predicted", this.hear);
    this.asker = setInterval(() => this.askAgain(), AGAIN_MS); // Streamlit drops what it is told while its own line is away
    this.connect();
  }

  connect() {
    this.line = new RoomLine(this.props.roomPath, this);
  }

  firstWord() {
    return { type: "join", code: this.props.code, tab: tabName(), member: this.mine.kept.member };
  }

  statusIs(status) {
    this.asked = "";
    this.begins = status === "open";
    if (this.begins) this.mine.anew();
    this.say({ trouble: status === "open" || status === "connecting" ? "" : tr("Reconnecting…") });
  }

  told(info) {
    if (info.refused || info.over) return this.ended(info);
    this.mine.knownAs(info.member);
    this.say({ room: info, trouble: "" });
    if (this.begins) this.sayHands();
    this.begins = false;
    this.sayMine(info.where);
    this.askForPage();
  }

  /** The room is over, or it has no place for this page now. */
  ended({ refused, again, over }) {
    this.line.close();
    if (again) this.retry = setTimeout(() => this.connect(), AGAIN_MS);
    else this.props.tell({ what: "over" }); // the page finds that there is no such room
    this.say({ trouble: said(refused ?? over) });
  }

  called(name) {
    this.mine.called(name);
    if (this.room) this.sayMine(this.room.where);
  }

  predicted(detail) {
    this.mine.predicted(detail);
    this.sayMine(detail);
  }

  sayMine(where) {
    for (const words of this.mine.due(where)) this.line?.send(words);
  }

  /** The page shows what the leader showed when it was drawn: where that has changed, it is to be drawn anew. */
  askForPage() {
    const wanted = JSON.stringify(this.room.where);
    if (this.props.run || this.asked === wanted || wanted === JSON.stringify(this.props.where)) return;
    this.asked = wanted;
    this.props.tell({ what: "place", where: this.room.where });
  }

  /** Own hands, or none: until the page has them. */
  wish(what) {
    this.wished = what;
    this.props.tell({ what });
  }

  askAgain() {
    this.asked = "";
    if (this.wished) this.props.tell({ what: this.wished });
    if (this.room) this.askForPage();
  }

  sayHands() {
    const { run, where } = this.props;
    this.line?.send({ type: "hands", run, where: run ? where : { page: "", lesson: "", index: 0 } });
  }

  say(what) {
    Object.assign(this, what);
    this.request();
  }

  draw() {
    const { room, trouble, props: { run } } = this;
    setText(this.me, room ? tr("Room {code}: you are number {number}", room) : tr("Room {code}", this.props));
    if (room && room.name !== this.shownName && document.activeElement !== this.name) this.name.value = this.shownName = room.name;
    setText(this.hands, run ? tr("Follow again") : tr("My own hands"));
    this.hands.disabled = !room;
    setText(this.state, trouble || stateOf(room, run));
    this.root.classList.toggle("lpc-follow-own", Boolean(run));
    for (const stage of document.querySelectorAll("[data-testid=lpc-stage]")) stage.inert = Boolean(run && room?.halted);
  }

  update(props) {
    const { run, where } = this.props;
    super.update(props);
    if (Boolean(run) !== Boolean(this.props.run)) this.wished = "";
    if (!this.line) return;
    if (this.props.run !== run || (run && JSON.stringify(this.props.where) !== JSON.stringify(where))) this.sayHands();
    if (this.room) this.askForPage();
    this.request();
  }

  destroy() {
    super.destroy();
    document.removeEventListener("lpc-predicted", this.hear);
    clearInterval(this.asker);
    clearTimeout(this.retry);
    this.line?.close();
  }
}

function stateOf(room, run) {
  if (!room) return tr("Coming in…");
  if (room.halted) return tr("Paused by the leader");
  if (!room.led) return tr("The leader is away; the room waits");
  return run ? tr("Your own hands") : tr("You follow the leader");
}

export default keeping((element, data, component) => new Follow(element, { ...data, tell: (message) => component.setTriggerValue("told", message) }), ({ code }) => code);
