// What the run has to tell: notices, the state of the connection, loading, finished, diverged.

import { button, el, setText } from "../kit/dom.js";
import { tr } from "../kit/words.js";

const LINES = { // what the state of the connection is called
  reconnecting: tr("Reconnecting…"),
  away: tr("The server does not answer. This page goes on by itself as soon as it does."),
  ended: tr("The server has ended this run; it is started again…"),
};
const INFO_MS = 8_000; // a remark goes by itself; warnings and errors stay until dismissed

export class Notices {
  constructor(reset) {
    Object.assign(this, { key: "", passing: false, hasRun: false });
    this.connection = el("div", { class: "lpc-notice lpc-warning", role: "status", hidden: true, testid: "lpc-connection" });
    this.text = el("span");
    this.progress = el("progress", { max: 1, hidden: true });
    this.action = button(tr("Reset"), "lpc-notice-reset", reset, { hidden: true });
    this.dismiss = button("×", "", () => (this.notice.hidden = true), { class: "lpc-close", "aria-label": tr("Dismiss") });
    this.notice = el("div", { class: "lpc-notice", hidden: true, testid: "lpc-notice" }, this.text, this.progress, this.action, this.dismiss);
    this.bar = el("div", { class: "lpc-notices" }, this.connection, this.notice);
    this.coverText = el("p", { text: tr("Connecting…") });
    this.coverProgress = el("progress", { max: 1, hidden: true });
    this.cover = el("div", { class: "lpc-cover", role: "status", testid: "lpc-cover" },
      el("div", { class: "lpc-cover-box" }, el("div", { class: "lpc-spinner", "aria-hidden": "true" }), this.coverText, this.coverProgress));
  }

  /** A "notice" message. */
  receive({ level, text, progress, state }) {
    if (state === "loading") return this.load(text, { progress });
    const lost = state === "error" || state === "stopped";
    if (lost && !this.hasRun) return this.load(text, { failed: true });
    if (lost) this.cover.hidden = true; // the run before goes on
    this.show(level, text, { progress });
    clearTimeout(this.fading);
    if (level === "info") this.fading = setTimeout(() => this.hide(), INFO_MS);
  }

  /** Covers the view with what is being waited for, or with why it failed. */
  load(text, { progress = null, failed = false } = {}) {
    this.cover.hidden = false;
    this.cover.classList.toggle("lpc-failed", failed);
    setText(this.coverText, tr(text) || tr("Loading…"));
    setProgress(this.coverProgress, progress);
  }

  /** A setup of run `run` has come: what was said of the run before is over. The same run's may come twice, before and after a remark. */
  loaded(run) {
    this.hasRun = true;
    this.cover.hidden = true;
    if (run !== this.run) this.hide();
    this.run = run;
  }

  /** A `passing` notice goes when a frame no longer gives a reason for it; others stay until dismissed. */
  show(level, text, { progress = null, resettable = false, passing = false } = {}) {
    const key = `${level}|${text}`;
    setProgress(this.progress, progress);
    if (key === this.key) return; // the same words, dismissed or not
    clearTimeout(this.fading);
    this.key = key;
    this.passing = passing;
    this.notice.className = `lpc-notice lpc-${level}`;
    this.notice.setAttribute("role", level === "error" ? "alert" : "status");
    setText(this.text, tr(text));
    this.action.hidden = !resettable;
    this.notice.hidden = false;
  }

  hide() {
    Object.assign(this, { key: "", passing: false });
    this.notice.hidden = true;
  }

  /** What a frame says about its run. */
  frame({ state, reason, notice }) {
    if (state === "diverged") return this.show("error", reason || tr("Training diverged: the loss is no longer a number."), { resettable: true, passing: true });
    if (state === "finished") return this.show("info", tr("Finished — press play to go on, or drag γ."), { passing: true });
    if (notice) return this.show("info", notice, { passing: true });
    if (this.passing) this.hide(); // its reason is gone
  }

  /** The line to the server. */
  status(status) {
    const text = LINES[status] ?? "";
    this.connection.hidden = !text;
    setText(this.connection, text);
    if (text && !this.hasRun) this.load(text);
  }
}

function setProgress(bar, value) {
  bar.hidden = !Number.isFinite(value);
  if (!bar.hidden) bar.value = value;
}
