// A link to this very moment: step, γ by hand and the view, written and taken up again; only what differs from the beginning.

import { el } from "../kit/dom.js";
import { Popover } from "../kit/popover.js";
import { tr } from "../kit/words.js";

const LAYERS = ["shell", "points", "forces"];
const MOST_STEPS = 10_000; // that are replayed

const short = (number) => String(Number(number.toPrecision(4)));

/** What a link says of the stage's moment besides its run, as [name, text] pairs. */
export function momentOf({ info, gamma, views: { view, d, zoom }, latents, layers }) {
  const words = [];
  if (info?.step > 0 && info.step <= MOST_STEPS) words.push(["at", String(info.step)]);
  if (gamma.mode === "hand") words.push(["hand", short(gamma.value)]);
  const usual = d > 2 ? "pca2" : "n0-1";
  const shown = view.projection === "pca" ? `pca${view.dims}` : `n${view.nodes.slice(0, view.dims).join("-")}`;
  if (shown !== usual && d > 1) words.push(["view", shown]);
  if (latents.spin.active) words.push(["turn", `${latents.spin.yaw.toFixed(2)},${latents.spin.pitch.toFixed(2)}`]);
  if (latents.camera.mode === "fixed" && zoom) words.push(["zoom", "fixed"]);
  const on = layers.read();
  const off = LAYERS.filter((key) => !on[key]);
  if (off.length) words.push(["off", off.join(",")]);
  if (document.documentElement.classList.contains("lpc-presenting")) words.push(["present", "1"]);
  return words;
}

/** Puts the stage where the link says; once, when the run is there. `hand` is taken when the run has come to its step. */
export function takeUp(stage, { at, hand, view, turn, zoom, off }) {
  const { d } = stage.views;
  for (const key of off) stage.layers.set(key, false);
  if (view && view.nodes.every((node) => node < d) && view.dims <= d && (d > 2 || view.projection === "nodes")) {
    stage.views.change({ ...view, nodes: view.nodes.length ? view.nodes : [0, 1] });
  }
  if (turn) [stage.latents.spin.yaw, stage.latents.spin.pitch] = turn;
  if (zoom) {
    stage.latents.setZoom(zoom);
    stage.views.zoom.select(zoom);
  }
  stage.arriving = () => hand !== null && stage.gamma.set(hand);
  if (at === null) return arrive(stage);
  stage.send({ type: "speed", steps_per_second: 0 });
  stage.send({ type: "replay", step: at });
}

/** The run stands where the link wanted it: at the page's own speed from here on. */
export function arrive(stage) {
  const { arriving, transport } = stage;
  stage.arriving = null;
  transport.speedChosen = true;
  transport.sendSpeed();
  arriving();
}

/** A button that shows the link, to be copied, and as a QR code; `props.share`: {run: query, base: the page's address as others reach it, note}. */
export class Share {
  constructor(stage) {
    this.stage = stage;
    this.field = el("input", { class: "lpc-share-link", readonly: true, "aria-label": tr("Link to this moment"), testid: "lpc-share-link" });
    this.copy = el("button", { type: "button", class: "lpc-button", text: tr("Copy"), testid: "lpc-share-copy", on: { click: () => this.copied() } });
    this.picture = el("img", { class: "lpc-share-qr", alt: tr("The link as a QR code"), testid: "lpc-share-qr" });
    this.note = el("p", { class: "lpc-hint" });
    this.popover = new Popover(stage.root, () => ({}));
    this.popover.fill = () => this.fill();
    this.popover.element.append(this.field, this.copy, this.picture, this.note);
    this.button = this.popover.about(tr("link to this moment"), "lpc-share", "share");
    Object.assign(this.button, { className: "lpc-button lpc-share", textContent: tr("Link"), title: tr("A link to this moment") });
  }

  /** The link, with the address that others reach where it is known. */
  link() {
    const { run, base } = this.stage.props.share;
    const words = new URLSearchParams([...new URLSearchParams(run), ...momentOf(this.stage)]);
    return `${base}?${String(words).replaceAll("%2C", ",")}`;
  }

  fill() {
    const link = this.link();
    this.popover.title.textContent = tr("A link to this moment");
    this.popover.text.textContent = tr("It replays this run to this step and looks at it as you do now. γ moved by hand is put where it is, not the way it came there.");
    this.field.value = link;
    this.copy.textContent = tr("Copy");
    this.picture.src = new URL(`lab/qr.svg?text=${encodeURIComponent(link)}`, document.baseURI).href;
    this.note.textContent = this.stage.props.share.note;
  }

  /** Pages without TLS have no clipboard of their own: there the old way, by selection. */
  async copied() {
    this.field.select();
    const done = navigator.clipboard ? await navigator.clipboard.writeText(this.field.value).then(() => true, () => false) : document.execCommand("copy");
    this.copy.textContent = done ? tr("Copied") : tr("Press Ctrl+C");
  }
}
