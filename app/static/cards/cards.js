// A page's charts as cards. One component holds them all, so new data redraw a chart in place and nothing is mounted anew.

import { CardView } from "../charts/card.js";
import { keeping } from "../kit/component.js";
import { el, setText } from "../kit/dom.js";
import { MetricPopover } from "../controls/metricpopover.js";
import { Part } from "../kit/part.js";
import { join } from "../kit/sharing.js";

export class Cards extends Part {
  /** props: {cards, columns, sentence, plotlyUrl} */
  constructor(element, props) {
    super(element, props, { className: "lpc-cards", testid: "lpc-cards", sheets: ["cards/cards.css"] });
    Object.assign(this, { views: new Map(), Plotly: null, lasting: true });
    this.sentence = el("p", { class: "lpc-sentence", "aria-live": "polite", testid: "lpc-sentence", hidden: true });
    this.grid = el("div", { class: "lpc-card-grid" });
    this.root.append(this.sentence, this.grid);
    this.popover = new MetricPopover(this.root);
    this.root.lpcCards = { state: () => this.state(), cards: this };
    this.show();
    this.beginCharts((text) => this.root.prepend(el("p", { class: "lpc-notice lpc-error", role: "alert", text })));
  }

  update(props) {
    super.update(props);
    this.show();
    this.request();
  }

  /** One view per key, in the order given; views whose card is gone go too. */
  show() {
    const { cards, columns, sentence } = this.props;
    setText(this.sentence, sentence);
    this.sentence.hidden = !sentence;
    this.grid.style.setProperty("--lpc-columns", String(columns));
    const before = this.views;
    this.views = new Map(cards.map((card) => [card.key, before.get(card.key) ?? new CardView(card, this.popover, () => this.request())]));
    for (const [key, view] of before) if (!this.views.has(key)) view.destroy();
    cards.forEach((card, place) => {
      const view = this.views.get(card.key);
      if (before.has(card.key)) view.update(card);
      if (this.grid.children[place] !== view.element) this.grid.insertBefore(view.element, this.grid.children[place] ?? null);
    });
  }

  /** One chart per animation frame, so that the page stays quick to the touch. */
  draw() {
    if (!this.Plotly || !this.theme) return;
    for (const view of this.views.values()) {
      if (!view.draw(this.Plotly, this.theme)) continue;
      this.draws += 1;
      return this.request();
    }
    if (this.views.size) join(this, this.words()); // all are drawn
  }

  /** Of a link: which lines are switched off, and how far the charts are zoomed in. */
  words() {
    const views = [...this.views.values()];
    const each = (text, sign, take) => {
      const rest = text.split(",").filter((one) => {
        const [key, ...how] = one.split(sign);
        return !this.views.has(key) || !take(this.views.get(key), how);
      });
      if (rest.join() !== text) this.request();
      return rest.join(); // what is another part's, or comes with more moments
    };
    return {
      lines: [() => views.flatMap((view) => view.off).join(), (text) => each(text, ".", (view, [line]) => view.switchOff(Number(line)))],
      axes: [() => views.flatMap((view) => view.zooms).join(), (text) => each(text, ":", (view, [axis, from, to]) => view.zoomTo(axis, Number(from), Number(to)))],
    };
  }

  /** For tests. */
  state() {
    return {
      keys: [...this.views.keys()], draws: this.draws, drawn: [...this.views.values()].every((view) => view.drawn),
      traces: Object.fromEntries([...this.views].map(([key, { plot }]) => [key, (plot.calcdata ?? []).map(([first, ...more]) => ({ name: first.trace.name, points: 1 + more.length }))])),
    };
  }

  destroy() {
    super.destroy();
    for (const view of this.views.values()) view.destroy();
  }
}

export default keeping((element, data) => new Cards(element, data));
