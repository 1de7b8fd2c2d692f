import { Notices } from "../../app/static/live/notices.js";
import { Socket } from "../../app/static/live/socket.js";
import { Lead } from "../../app/static/room/lead.js";
import { leading } from "../../app/static/room/leading.js";
import { Mine } from "../../app/static/room/mine.js";
import { encode } from "../../app/static/offline/encode.js";
import { equal, test } from "./kit.js";

const STEP = { lesson: "forces", index: 1 };

test("what was said on a dead line is said again on the next, once", () => {
  sessionStorage.clear();
  const mine = new Mine("BCDF");
  mine.knownAs("token");
  equal(mine.due(STEP), []);
  mine.called("Ada");
  mine.predicted({ ...STEP, choice: 2 });
  const words = [{ type: "name", name: "Ada" }, { type: "answer", ...STEP, choice: 2 }];
  equal([mine.due(STEP), mine.due(STEP)], [words, []]);
  mine.anew();
  equal([mine.due(STEP), mine.due(STEP)], [words, []]);
});

test("a prediction is said while its step is shown, and a reload keeps it; another room knows nothing of it", () => {
  sessionStorage.clear();
  const mine = new Mine("BCDF");
  mine.knownAs("token");
  mine.predicted({ ...STEP, choice: 0 });
  const again = new Mine("BCDF");
  equal([again.kept.member, again.due({ lesson: "forces", index: 2 }), again.due(STEP)], ["token", [], [{ type: "answer", ...STEP, choice: 0 }]]);
  again.knownAs("another"); // the room had forgotten this page
  equal(again.due(STEP).length, 1);
  const other = new Mine("GHJK");
  equal([other.kept.member, other.due(STEP)], ["", []]);
});

/** A server in the page: lines that it opens and hears, or not. */
function served() {
  const lines = [];
  const dial = () => {
    const line = { readyState: WebSocket.CONNECTING, said: [], send: (text) => line.said.push(JSON.parse(text)), close: () => (line.closed = true) };
    lines.push(line);
    return line;
  };
  const states = [];
  const socket = new Socket("", () => ({ type: "hello" }), { status: (state) => states.push(state) }, dial);
  clearInterval(socket.pinger); // the test says when
  const open = () => {
    const line = lines.at(-1);
    line.readyState = WebSocket.OPEN;
    line.onopen();
    return line;
  };
  const pings = (n) => Array.from({ length: n }, () => socket.ping());
  return { socket, lines, states, open, pings, end: () => socket.close() };
}

test("a line on which pings are answered no more is given up, and another is dialled", () => {
  const { socket, lines, states, open, pings, end } = served();
  const line = open();
  pings(20);
  equal([line.closed, states], [undefined, ["connecting", "open"]]); // of an older server, which answers none
  line.onmessage({ data: encode("pong", {}) });
  pings(8);
  line.onmessage({ data: encode("notice", {}) });
  pings(8);
  equal(line.closed, undefined);
  pings(1);
  equal([line.closed, states.at(-1)], [true, "reconnecting"]);
  line.onmessage?.({ data: encode("pong", {}) }); // the dead line's last word comes too late
  line.onclose?.({ code: 1006 });
  clearTimeout(socket.retry);
  socket.connect();
  open();
  equal([lines.length, states.at(-1)], [2, "open"]);
  end();
});

test("a line that does not open is given up", () => {
  const { lines, states, pings, end } = served();
  pings(8);
  equal(lines[0].closed, undefined);
  pings(1);
  equal([lines[0].closed, states.at(-1)], [true, "reconnecting"]);
  end();
});

test("a page that goes after the next one has come takes neither the room nor the projector from it", async () => {
  sessionStorage.clear();
  const root = document.documentElement;
  const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const come = async (name) => {
    const page = new Lead(document.body, { styled: true, roomPath: "room", run: name, where: { page: name, lesson: "", index: 0 }, question: null, base: "", note: "" });
    await painted();
    return page;
  };
  const kept = () => [leading.run, leading.where.page, root.classList.contains("lpc-presenting"), root.style.getPropertyValue("--lpc-lead") !== ""];
  const before = await come("play");
  before.present.click();
  const next = await come("compare");
  before.destroy();
  equal(kept(), ["compare", "compare", true, true]);
  next.present.click();
  next.destroy();
  equal(kept(), ["", "", false, false]);
});

test("a remark that goes by itself takes no warning with it that has come meanwhile", () => {
  const real = [globalThis.setTimeout, globalThis.clearTimeout];
  const due = new Map();
  globalThis.setTimeout = (work) => due.set(due.size + 1, work).size;
  globalThis.clearTimeout = (timer) => due.delete(timer);
  try {
    const notices = new Notices(() => {});
    const seen = [];
    const pass = () => {
      for (const work of due.values()) work();
      seen.push([notices.notice.hidden, notices.text.textContent]);
    };
    notices.receive({ level: "info", text: "no pictures" });
    notices.frame({ state: "diverged", reason: "diverged" });
    pass();
    notices.receive({ level: "info", text: "another" });
    pass();
    equal(seen, [[false, "diverged"], [true, "another"]]);
  } finally {
    [globalThis.setTimeout, globalThis.clearTimeout] = real;
  }
});
