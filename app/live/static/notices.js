// What the run has to tell: notices, the state of the connection, loading, finished, diverged.

import { el, setText } from "./dom.js";

export class Notices {
  /** parts: {bar, cover}; hooks: {reset()} */
  constructor({ bar, cover }, { reset }) {
    Object.assign(this, { bar, cover, key: "" });
    this.connection = el("div", { class: "lpc-notice lpc-warning", role: "status", hidden: true, testid: "lpc-connection" });
    this.text = el("span");
    this.progress = el("progress", { max: 1, hidden: true });
    this.action = el("button", { type: "button", class: "lpc-button", text: "Reset", testid: "lpc-notice-reset", hidden: true, on: { click: reset } });
    this.dismiss = el("button", { type: "button", class: "lpc-close", "aria-label": "Dismiss", text: "×", on: { click: () => this.hide() } });
    this.notice = el("div", { class: "lpc-notice", hidden: true, testid: "lpc-notice" }, this.text, this.progress, this.action, this.dismiss);
    bar.append(this.connection, this.notice);
    this.coverText = el("p", { text: "Connecting…" });
    this.coverProgress = el("progress", { max: 1, hidden: true });
    cover.append(el("div", { class: "lpc-cover-box" }, el("div", { class: "lpc-spinner", "aria-hidden": "true" }), this.coverText, this.coverProgress));
  }

  /** A "notice" message. */
  receive({ level, text, progress, state }) {
    if (state === "loading") return this.load(text, progress);
    this.show(level, text, { progress });
  }

  load(text, progress) {
    this.cover.hidden = false;
    setText(this.coverText, text || "Loading…");
    setProgress(this.coverProgress, progress);
  }

  loaded() {
    this.cover.hidden = true;
    this.hide();
  }

  show(level, text, { progress = null, resettable = false } = {}) {
    const key = `${level}|${text}`;
    setProgress(this.progress, progress);
    if (key === this.key) return; // the same words, dismissed or not
    this.key = key;
    this.notice.className = `lpc-notice lpc-${level}`;
    this.notice.setAttribute("role", level === "error" ? "alert" : "status");
    setText(this.text, text);
    this.action.hidden = !resettable;
    this.notice.hidden = false;
  }

  hide() {
    this.notice.hidden = true;
  }

  /** What a frame says about its run. */
  frame({ state, reason, notice }) {
    if (state === "diverged") return this.show("error", `Training diverged: ${reason || "the loss is no longer a number"}.`, { resettable: true });
    if (state === "finished") return this.show("info", "Finished — press play to go on, or drag γ.");
    if (notice) return this.show("info", notice);
    if (this.key && !this.key.startsWith("sticky")) {
      this.key = "";
      this.hide();
    }
  }

  /** The line to the server. */
  status(status) {
    const over = status === "over";
    this.connection.hidden = !["reconnecting", "over"].includes(status);
    this.connection.classList.toggle("lpc-error", over);
    setText(this.connection, over ? "This page's session is over; reload." : "Reconnecting…");
    if (over && !this.cover.hidden) this.load("This page's session is over; reload.", null);
  }

  failed(text) {
    this.load(text, null);
    this.cover.classList.add("lpc-failed");
  }
}

function setProgress(bar, value) {
  bar.hidden = !Number.isFinite(value);
  if (!bar.hidden) bar.value = value;
}
