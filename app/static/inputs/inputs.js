// The inputs panel: what the samples are before the network, linked with the latents and the histograms.

import { fit } from "../kit/canvas.js";
import { el, setText, within } from "../kit/dom.js";
import { formatPercent } from "../kit/format.js";
import { flagsOf } from "../kit/linked.js";
import { classColours } from "../kit/palette.js";
import { recall, remember } from "../kit/remember.js";
import { tr } from "../kit/words.js";
import { Hover } from "../latents/hover.js";
import { drawRing } from "../latents/overlays.js";
import { Plane } from "./plane.js";
import { Tiles } from "./tiles.js";

const EVERY_MS = 95;
const [NARROW, WIDE] = [620, 900]; // of the stage: between them the panel would push the curves away, so it is closed at first
const STEP = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

export class Inputs {
  /** hooks: {clock, linked, info(key), focus(): classes shown alone, wantThumbs(), opened()}. */
  constructor({ clock, linked, info, focus, wantThumbs, opened }) {
    Object.assign(this, { linked, focus, wantThumbs, opened, face: null, setupMessage: null, predictions: null, theme: null, open: false, chosen: null, from: null });
    this.canvas = el("canvas", { class: "lpc-canvas", role: "img", "aria-label": tr("Inputs by class") });
    this.box = el("div", { class: "lpc-inputs-box", hidden: true });
    this.surface = el("div", { class: "lpc-surface", tabindex: "0", role: "group", testid: "lpc-inputs-surface",
      "aria-label": tr("Inputs. Arrow keys go from sample to sample, Escape ends it.") }, this.canvas, this.box);
    this.plot = el("div", { class: "lpc-inputs-plot" }, this.surface);
    this.note = el("span", { class: "lpc-hint" });
    this.spoken = el("span", { class: "lpc-spoken", role: "status" });
    this.element = el("section", { class: "lpc-panel lpc-inputs", id: "lpc-inputs", testid: "lpc-inputs", hidden: true },
      el("header", { class: "lpc-head" }, el("h2", { text: tr("Inputs") }), info("inputs"), this.note), this.plot, this.spoken);
    this.toggle = el("button", { type: "button", class: "lpc-chip", text: tr("Inputs"), "aria-controls": "lpc-inputs", testid: "lpc-inputs-toggle", on: { click: () => this.choose(!this.open) } });
    this.hover = new Hover(this.surface, this.plot, () => this.drawn(), wantThumbs, linked);
    this.drawing = clock.add("inputs", EVERY_MS, () => this.draw(), this.plot);
    linked.hear(() => this.drawing.touch());
    this.listen();
    this.show(false);
  }

  listen() {
    const { surface } = this;
    surface.addEventListener("keydown", (event) => this.key(event));
    surface.addEventListener("blur", () => this.hover.leave());
    surface.addEventListener("pointerdown", (event) => event.pointerType !== "touch" && event.button === 0 && this.grab(event));
    surface.addEventListener("pointermove", (event) => this.from && this.stretch(event));
    for (const end of ["pointerup", "pointercancel"]) surface.addEventListener(end, (event) => this.from && this.release(event));
  }

  // ---- open or closed ---------------------------------------------------------------------------------------------

  /** By hand: it stays so in this browser. */
  choose(open) {
    this.chosen = open;
    remember("inputs", open ? "open" : "closed");
    this.show(open);
    this.opened();
  }

  show(open) {
    this.open = open;
    this.element.hidden = !open;
    this.toggle.setAttribute("aria-pressed", String(open));
    this.toggle.title = open ? tr("Hide the inputs") : tr("Show what the samples are before the network");
    if (open && this.face instanceof Tiles) this.wantThumbs();
    this.drawing.touch();
  }

  /** As the reader left it; until a hand chooses, open where and as long as there is room in the stage `root`. */
  begin(root) {
    const kept = recall("inputs");
    if (kept) this.chosen = kept === "open";
    const fitIn = ({ clientWidth: width }) => this.chosen ?? (width < NARROW || width >= WIDE);
    this.show(fitIn(root));
    this.room = new ResizeObserver(() => {
      if (fitIn(root) === this.open) return;
      this.show(!this.open);
      this.opened();
    });
    this.room.observe(root);
  }

  /** Whether the frames are to bring what the network says of the plane. */
  get wantsRegions() {
    return this.open && this.setupMessage?.info.inputs.kind === "plane";
  }

  // ---- the run ----------------------------------------------------------------------------------------------------

  setup({ info, tensors }) {
    this.setupMessage = { info, labels: tensors.labels.data, inputs: tensors.inputs };
    this.predictions = null;
    this.face = new (info.inputs.kind === "pictures" ? Tiles : Plane)(this.setupMessage);
    const { kind, share } = info.inputs;
    setText(this.note, kind === "projection" ? tr("PCA, {share} of the spread", { share: formatPercent(share) }) : "");
    this.canvas.setAttribute("aria-label", tr("{title}: the inputs of {n} samples by class", { title: tr(info.title), n: this.face.n }));
    this.hover.clear();
    if (this.theme) this.restyle(this.theme);
    this.show(this.open);
  }

  push(message) {
    this.predictions = message.tensors.predictions.data;
    this.tell(message);
  }

  /** A measured moment brings what the network says of the plane. */
  tell({ tensors: { regions } }) {
    if (regions && this.face.brush) this.face.setRegions(regions);
    this.drawing.touch();
  }

  setThumbs(tensor) {
    this.hover.setThumbs(tensor);
    if (this.face instanceof Tiles) this.face.setThumbs(tensor);
    this.drawing.touch();
  }

  restyle(theme) {
    this.theme = theme;
    this.face?.restyle(classColours(this.setupMessage.info.K, theme.dark));
    this.drawing.touch();
  }

  draw() {
    const { clientWidth: w, clientHeight: h } = this.plot;
    if (!this.open || !this.theme || !this.face || !w || !h) return false;
    const { linked: { flags, pointed }, predictions, theme, face } = this;
    const ctx = fit(this.canvas, w, h);
    face.draw(ctx, w, h, { predictions, flags, pointed, focus: this.focus(), theme });
    if (pointed >= 0) drawRing(ctx, face.at.x[pointed], face.at.y[pointed], theme, face instanceof Tiles ? face.reach * 0.68 : 7);
    this.hover.refresh();
    return true;
  }

  drawn() {
    const { face, setupMessage, predictions } = this;
    if (!face || !predictions) return null;
    return { at: face.at, scene: { n: face.n, p: 2, xy: face.xy, predictions }, setup: setupMessage, titles: face.titles, reach: face.reach };
  }

  // ---- hands ------------------------------------------------------------------------------------------------------

  grab(event) {
    this.surface.setPointerCapture(event.pointerId);
    this.from = within(this.surface, event);
  }

  /** The box from where the pointer went down to where it is: {left, top, right, bottom}. */
  boxTo(event) {
    const [[ax, ay], [bx, by]] = [this.from, within(this.surface, event)];
    return { left: Math.min(ax, bx), top: Math.min(ay, by), right: Math.max(ax, bx), bottom: Math.max(ay, by) };
  }

  stretch(event) {
    const { left, top, right, bottom } = this.boxTo(event);
    Object.assign(this.box.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
    this.box.hidden = right - left + bottom - top < 6;
  }

  /** What lies in the box is chosen; a press on a sample chooses it, one beside all of them none. */
  release(event) {
    const { left, top, right, bottom } = this.boxTo(event);
    const { face: { at, n }, hover: { shown } } = this;
    const inside = this.box.hidden ? [shown] : Array.from({ length: n }, (_, i) => i).filter((i) => at.x[i] >= left && at.x[i] <= right && at.y[i] >= top && at.y[i] <= bottom);
    this.linked.choose(event.type === "pointerup" ? flagsOf(n, inside) : this.linked.chosen);
    this.from = null;
    this.box.hidden = true;
  }

  key(event) {
    const { linked, face } = this;
    if (event.key === "Escape") linked.choose(null);
    if (event.key in STEP) this.hover.keep(linked.pointed < 0 ? 0 : (linked.pointed + STEP[event.key] + face.n) % face.n);
    else if (event.key === "Escape") this.hover.leave();
    else return;
    event.preventDefault();
    setText(this.spoken, event.key in STEP ? this.hover.words() : "");
  }

  /** For tests: the kind, whether it is open and knows its regions, and where the samples are drawn. */
  state() {
    const { face, open, setupMessage } = this;
    return { kind: setupMessage?.info.inputs.kind ?? null, open, regions: Boolean(face?.tints), at: face ? [face.at.x[0], face.at.y[0]] : null };
  }

  destroy() {
    this.room?.disconnect();
  }
}
