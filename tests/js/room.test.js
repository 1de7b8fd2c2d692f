import { Socket } from "../../app/static/live/socket.js";
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
