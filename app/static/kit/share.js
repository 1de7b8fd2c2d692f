// The button that shows a link to this very moment, to be copied, and as a QR code; and the controls that it hides.

import { button, el } from "./dom.js";
import { Popover } from "./popover.js";
import { said } from "./sharing.js";
import { tr } from "./words.js";

const PRESENTING = "lpc-presenting"; // on the document (`room/present.js`)
let hidden = new Set(); // controls that this page is shown without
const root = document.documentElement;
let owner = null; // the button of the page that is shown: a page goes after the next one has come

/** Whether the page is shown without this control: then keys do not move it either. */
export const without = (name) => hidden.has(name);

function hide(names) {
  for (const name of hidden) root.classList.remove(`lpc-without-${name}`);
  for (const name of names) root.classList.add(`lpc-without-${name}`);
  hidden = new Set(names);
  window.dispatchEvent(new Event("resize"));
}

export class Share {
  /** Opens in `host`; share: {run: query, base: the page's address as others reach it, note, live: whether a run is replayed, controls: {name: words}, hidden: [name]}. */
  constructor(host, share) {
    this.field = el("input", { class: "lpc-share-link", readonly: true, "aria-label": tr("Link to this moment"), testid: "lpc-share-link" });
    this.copy = button(tr("Copy"), "lpc-share-copy", () => this.copied());
    this.picture = el("img", { class: "lpc-share-qr", alt: tr("The link as a QR code"), testid: "lpc-share-qr" });
    this.note = el("p", { class: "lpc-hint" });
    this.controls = el("div", { class: "lpc-share-list" });
    const only = el("details", { class: "lpc-share-controls", testid: "lpc-share-controls" }, el("summary", { text: tr("Show others only some controls") }), this.controls);
    this.popover = new Popover(host);
    this.popover.fill = () => this.fill();
    this.popover.element.append(this.field, this.copy, this.picture, this.note, only);
    this.button = this.popover.about(tr("link to this moment"), "lpc-share", "share");
    Object.assign(this.button, { className: "lpc-button lpc-share", textContent: tr("Link"), title: tr("A link to this moment") });
    owner = this;
    hide(share.hidden);
    this.update(share);
  }

  /** The page has gone, and with it what it hid. */
  close() {
    this.popover.close();
    if (owner === this) hide([]);
  }

  /** What is opened has changed, or the words for it. */
  update(share) {
    if (JSON.stringify(share) === JSON.stringify(this.share)) return;
    this.share = share;
    this.controls.replaceChildren(...Object.entries(share.controls).map(([name, words]) => this.control(name, words)));
    if (!this.popover.element.hidden) this.fill();
  }

  /** A box that shows or hides a control, here and in the link. */
  control(name, words) {
    const box = el("input", { type: "checkbox", testid: `lpc-share-show-${name}`, on: { change: () => {
      hide(Object.keys(this.share.controls).filter((one) => (one === name ? !box.checked : without(one))));
      this.fill();
    } } });
    box.checked = !without(name);
    return el("label", {}, box, el("span", { text: words }));
  }

  /** The link, with the address that others reach where it is known. */
  link() {
    const { run, base } = this.share;
    const more = [...said(), ...(hidden.size ? [["hide", [...hidden].join()]] : []), ...(root.classList.contains(PRESENTING) ? [["present", "1"]] : [])];
    return `${base}?${String(new URLSearchParams([...new URLSearchParams(run), ...more])).replaceAll("%2C", ",").replaceAll("%3A", ":")}`;
  }

  fill() {
    const link = this.link();
    this.popover.say(tr("A link to this moment"), this.share.live
      ? tr("It opens what you see as you see it now: the run is replayed to this step; γ moved by hand is put where it is, not the way it came there.")
      : tr("It opens what you see as you see it now."));
    this.field.value = link;
    this.copy.textContent = tr("Copy");
    this.picture.src = new URL(`lab/qr.svg?text=${encodeURIComponent(link)}`, document.baseURI).href;
    this.note.textContent = this.share.note;
  }

  /** Pages without TLS have no clipboard of their own: there the old way, by selection. */
  async copied() {
    this.field.select();
    const done = navigator.clipboard ? await navigator.clipboard.writeText(this.field.value).then(() => true, () => false) : document.execCommand("copy");
    this.copy.textContent = done ? tr("Copied") : tr("Press Ctrl+C");
  }
}
