// A page's charts as cards. One component holds them all, so new data redraw a chart in place and nothing is mounted anew.

import { CardView } from "../kit/card.js";
import { keeping } from "../kit/component.js";
import { el, loadPlotly, loadStyles, setText } from "../kit/dom.js";
import { MetricPopover } from "../kit/metricpopover.js";
import { applyTheme, readTheme } from "../kit/theme.js";

export class Cards {
  /** props: {cards, columns, sentence, plotlyUrl} */
  constructor(element, props) {
    Object.assign(this, { element, props, views: new Map(), raf: 0, Plotly: null, theme: null, draws: 0 });
    this.sentence = el("p", { class: "lpc-sentence", "aria-live": "polite", testid: "lpc-sentence", hidden: true });
    this.grid = el("div", { class: "lpc-card-grid" });
    this.root = el("div", { class: "lpc-root lpc-cards lpc-unstyled", testid: "lpc-cards" }, this.sentence, this.grid);
    this.popover = new MetricPopover(this.root);
    element.append(this.root);
    this.root.lpcCards = { state: () => this.state(), cards: this };
    this.show();
    this.begin();
  }

  /** Styles first, then Plotly: the cards are there, with their words, before the charts are. */
  async begin() {
    await Promise.all([loadStyles(), loadStyles("cards.css")]);
    if (this.gone) return;
    this.root.classList.remove("lpc-unstyled");
    this.restyle();
    try {
      this.Plotly = await loadPlotly(new URL(this.props.plotlyUrl, document.baseURI).href);
      this.request();
    } catch (error) {
      this.root.prepend(el("p", { class: "lpc-notice lpc-error", role: "alert", text: `${error.message}; reload the page.` }));
    }
  }

  update(props) {
    this.props = { ...this.props, ...props };
    this.show();
    if (this.theme) this.restyle();
    this.request();
  }

  /** One view per key, in the order given; views whose card is gone go too. */
  show() {
    const { cards, columns, sentence } = this.props;
    setText(this.sentence, sentence);
    this.sentence.hidden = !sentence;
    this.grid.style.setProperty("--lpc-columns", String(columns));
    const keys = new Set(cards.map((card) => card.key));
    for (const [key, view] of this.views) {
      if (keys.has(key)) continue;
      view.destroy();
      this.views.delete(key);
    }
    cards.forEach((card, place) => {
      if (this.views.has(card.key)) this.views.get(card.key).update(card);
      else this.views.set(card.key, new CardView(card, this.popover, () => this.request()));
      const { element } = this.views.get(card.key);
      if (this.grid.children[place] !== element) this.grid.insertBefore(element, this.grid.children[place] ?? null);
    });
  }

  restyle() {
    const theme = readTheme(this.element);
    theme.key = JSON.stringify(theme);
    if (theme.key === this.theme?.key) return;
    this.theme = theme;
    applyTheme(this.root, theme);
    this.request();
  }

  request() {
    if (!this.raf && !this.gone) this.raf = requestAnimationFrame(() => this.draw());
  }

  /** One chart per animation frame, so that the page stays quick to the touch. */
  draw() {
    this.raf = 0;
    if (!this.Plotly || !this.theme) return;
    for (const view of this.views.values()) {
      if (!view.draw(this.Plotly, this.theme)) continue;
      this.draws += 1;
      return this.request();
    }
  }

  /** For tests. */
  state() {
    return {
      keys: [...this.views.keys()], draws: this.draws, drawn: [...this.views.values()].every((view) => view.drawn),
      traces: Object.fromEntries([...this.views].map(([key, { plot }]) => [key, (plot.calcdata ?? []).map(([first, ...more]) => ({ name: first.trace.name, points: 1 + more.length }))])),
    };
  }

  destroy() {
    this.gone = true;
    cancelAnimationFrame(this.raf);
    this.popover.close();
    for (const view of this.views.values()) view.destroy();
    this.root.remove();
  }
}

export default keeping((element, data) => new Cards(element, data));
