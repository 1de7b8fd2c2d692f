// A part of a page: styles first, then the page's theme; at most one drawing per animation frame; an end.

import { el, loadPlotly, loadStyles } from "./dom.js";
import { learn } from "./explain.js";
import { Share } from "./share.js";
import { ask, leave } from "./sharing.js";
import { applyTheme, readTheme } from "./theme.js";
import { tr } from "./words.js";

export class Part {
  /** Lives in `element`; className and testid are those of its root, sheets the style sheets besides the common one. */
  constructor(element, props, { className = "", testid, sheets = [] }) {
    learn(props.abouts);
    Object.assign(this, { element, props, sheets, theme: null, raf: 0, gone: false, draws: 0 });
    this.root = el("div", { class: `lpc-root lpc-unstyled ${className}`, testid });
    element.append(this.root);
  }

  /** The button of the page's link, where this part has it: props {share, moment}. */
  shareButton() {
    const { moment, share } = this.props;
    if (moment) ask(moment);
    if (share) this.share = new Share(this.root, share);
    return this.share?.button ?? "";
  }

  /** Waits for the styles and takes up the theme; returns whether the part is still wanted. */
  async styled() {
    if (!this.props.styled) await Promise.all(["kit/stage.css", ...this.sheets].map(loadStyles));
    if (this.gone) return false;
    this.root.classList.remove("lpc-unstyled");
    this.restyle();
    return true;
  }

  /** Other props, those that are not given stay; perhaps another theme. */
  update(props) {
    this.props = { ...this.props, ...props };
    if (props.share) this.share?.update(props.share);
    if (this.theme) this.restyle(); // else styles are still on their way
  }

  /** Reads the page's theme; `painted` hears of another one. */
  restyle() {
    const theme = readTheme(this.element, this.props.dark);
    theme.key = JSON.stringify(theme);
    if (theme.key === this.theme?.key) return;
    this.theme = theme;
    applyTheme(this.root, theme);
    this.painted(theme);
  }

  /** To be overridden by whoever is made of others, which are painted and go with it. */
  parts() {
    return [];
  }

  /** The theme is new. */
  painted(theme) {
    for (const part of this.parts()) part.restyle(theme);
    this.request();
  }

  /** Asks for `draw(now)` in the next animation frame. */
  request() {
    if (this.raf || this.gone) return;
    this.raf = requestAnimationFrame((now) => {
      this.raf = 0;
      this.draw(now);
    });
  }

  /** To be overridden by whoever asks for it. */
  draw() {}

  /** Resolves to Plotly, which the props give or say where to get. */
  plotly() {
    return this.props.Plotly ?? loadPlotly(new URL(this.props.plotlyUrl, document.baseURI).href);
  }

  /** Styles first, then Plotly: a part is there, with its words, before its charts are. `failed` hears in words why they never come. */
  async beginCharts(failed) {
    if (!await this.styled()) return;
    try {
      this.Plotly = await this.plotly();
      this.request();
    } catch (error) {
      failed(tr("{error}; reload the page.", { error: error.message }));
    }
  }

  destroy() {
    this.gone = true;
    cancelAnimationFrame(this.raf);
    this.popover?.close();
    this.share?.close();
    leave(this);
    for (const part of this.parts()) part.destroy?.();
    this.root.remove();
  }
}

/** Covers `host` with what is being waited for, or with why it failed; nothing uncovers it. */
export function sayCover(host, text, failed = false) {
  host.classList.toggle("lpc-failed", failed);
  host.replaceChildren(el("div", { class: "lpc-cover-box" }, el("div", { class: "lpc-spinner" }), el("p", { text })));
  host.hidden = !text;
}
