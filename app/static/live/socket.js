// The connection to the run: says hello, pings, reconnects, also when a line is dead without a word, and keeps only the newest frame.

import { decode } from "../kit/frames.js";

const PING_MS = 2_000;
const DEAD = 8; // pings in a row after which nothing came: counted, not timed, since a page that sleeps does not ping
const BACKOFF_MS = [500, 1_000, 2_000, 3_500, 5_000];
const ENDED = 4401; // the server knows no run by this token
const WORRY = 3; // attempts, until it is no short interruption

export class Socket {
  /** `path` from the page's base; `first()` gives the word that each connection begins with. `dial(url)` gives the line, a WebSocket or what behaves like one. handlers: {setup, frame, thumbs, notice, status}; status is "connecting" | "open" | "reconnecting" | "away" | "ended". */
  constructor(path, first, handlers, dial = (address) => new WebSocket(address)) {
    const url = new URL(path, document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    Object.assign(this, { url: url.href, first, handlers, dial, attempt: 0, newest: null, closed: false, unanswered: 0, answers: false });
    this.connect();
    this.pinger = setInterval(() => this.ping(), PING_MS);
  }

  connect() {
    this.handlers.status(this.attempt ? this.trouble() : "connecting");
    const ws = this.dial(this.url);
    this.ws = ws;
    this.unanswered = 0;
    ws.binaryType = "arraybuffer";
    ws.onopen = () => {
      this.send(this.first());
      this.handlers.status("open");
    };
    ws.onmessage = (event) => ws === this.ws && this.receive(event.data);
    ws.onclose = (event) => ws === this.ws && this.lost(event.code);
  }

  /** Wi-Fi that goes away closes nothing: a line on which a server that answers pings says nothing, or that never opens, is given up. */
  ping() {
    const { ws } = this;
    if (ws && this.unanswered >= DEAD && (this.answers || ws.readyState === WebSocket.CONNECTING)) {
      this.ws = null;
      ws.close();
      this.lost();
    }
    this.unanswered += 1;
    this.send({ type: "ping" });
  }

  /** Sends a control message; returns whether the line was open. */
  send(message) {
    if (this.ws?.readyState !== WebSocket.OPEN) return false;
    this.ws.send(JSON.stringify(message));
    return true;
  }

  receive(data) {
    if (typeof data === "string") return; // all of the server's words are binary frames
    this.attempt = 0;
    this.unanswered = 0;
    const message = decode(data);
    this.answers ||= message.kind === "pong";
    if (message.kind === "setup") this.newest = null; // frames of the run before are stale
    if (message.kind === "frame") this.newest = message;
    this.handlers[message.kind]?.(message);
  }

  /** The newest undrawn frame, acknowledged as it is taken; null when there is none. */
  take() {
    const frame = this.newest;
    this.newest = null;
    if (frame) this.send({ type: "ack", frame: frame.info.frame });
    return frame;
  }

  lost(code) {
    this.newest = null;
    if (this.closed) return;
    this.ended = code === ENDED;
    const wait = BACKOFF_MS[Math.min(this.attempt, BACKOFF_MS.length - 1)];
    this.attempt += 1;
    this.handlers.status(this.trouble());
    this.retry = setTimeout(() => this.connect(), wait);
  }

  trouble() {
    return this.ended ? "ended" : this.attempt > WORRY ? "away" : "reconnecting";
  }

  close() {
    this.closed = true;
    clearInterval(this.pinger);
    clearTimeout(this.retry);
    this.ws?.close(1000);
  }
}
