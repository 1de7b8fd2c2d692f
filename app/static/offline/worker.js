// The worker of the page that trains without a server: takes the pack first, then messages as a WebSocket would; posts frames.

import { decode } from "../kit/frames.js";
import { Run } from "./run.js";

const SLICE_S = 0.008; // of training, between looks at what the page has said

let run = null;
let timer = null; // of the next turn
const soon = new MessageChannel(); // a turn at once, after what is waiting: timers wait four milliseconds at least
soon.port1.addEventListener("message", turn);
soon.port1.start();

function turn() {
  const wait = run.turn(SLICE_S);
  clearTimeout(timer);
  if (wait === 0) soon.port2.postMessage(null);
  else if (wait < Infinity) timer = setTimeout(turn, 1_000 * wait);
  idle = wait > 0;
}

let idle = true; // whether no turn is on its way at once

addEventListener("message", ({ data }) => {
  if (data instanceof ArrayBuffer) {
    run = new Run(decode(data), (buffer) => postMessage(buffer, [buffer]), () => performance.now() / 1_000);
    return;
  }
  run.hear(JSON.parse(data));
  if (idle) turn();
});
