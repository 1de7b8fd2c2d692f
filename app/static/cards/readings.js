// The table of readings: sortable columns, floor marks, reasons in words, ⓘ with formula and source.

import { keeping } from "../kit/component.js";
import { el, setText } from "../kit/dom.js";
import { power } from "../kit/format.js";
import { MetricPopover } from "../controls/metricpopover.js";
import { Part } from "../kit/part.js";
import { join } from "../kit/sharing.js";
import { SaveMenu, saveTable } from "../controls/savemenu.js";
import { tr } from "../kit/words.js";

const COLUMNS = [
  { key: "title", text: tr("quantity"), of: (row) => tr(row.title).toLowerCase() },
  { key: "value", text: tr("value"), of: (row) => row.value ?? Infinity },
  { key: "floor", text: tr("noise floor"), of: (row) => row.floor ?? Infinity },
  { key: "reason", text: tr("note"), of: (row) => row.reason.toLowerCase() || "￿" },
];

const orders = new Map(); // path of a page and key of its table → [column, down]: a slow page may build a table anew, in any order of events

export class Readings extends Part {
  /** props: {key, title, rows, csv} */
  constructor(element, props) {
    super(element, props, { className: "lpc-readings", testid: "lpc-readings", sheets: ["cards/cards.css"] });
    Object.assign(this, { by: null, down: false, drawn: "" });
    this.popover = new MetricPopover(this.root);
    this.title = el("h2", { text: props.title });
    this.menu = new SaveMenu(props.title, `lpc-readings-save-${props.key}`, [
      [tr("Data, CSV"), `lpc-readings-csv-${props.key}`, () => saveTable(this.props.csv, this.props.key)]]);
    this.heads = COLUMNS.map((column) => this.head(column));
    this.body = el("tbody");
    const table = el("table", { class: "lpc-table" }, el("caption", { class: "lpc-away", text: props.title }), el("thead", {}, el("tr", {}, ...this.heads)), this.body);
    this.root.prepend(el("section", { class: "lpc-panel" },
      el("header", { class: "lpc-head" }, this.title, el("div", { class: "lpc-tools" }, this.menu.element)), table));
    this.place = `${location.pathname} ${props.key}`;
    this.sortBy(...(orders.get(this.place) ?? [null, false]));
    this.styled();
    join(this, { sort: [() => (this.by ? `${this.down ? "-" : ""}${this.by}` : ""), (text) => this.sortBy(text.replace("-", ""), text.startsWith("-"))] });
  }

  update(props) {
    super.update(props);
    this.fill();
  }

  head({ key, text }) {
    const button = el("button", { type: "button", class: "lpc-sort", text, testid: `lpc-sort-${key}`, on: { click: () => this.sort(key) } });
    return el("th", { scope: "col", "aria-sort": "none", class: `lpc-col-${key}` }, button);
  }

  /** Up, then down, then as measured. */
  sort(key) {
    if (this.by !== key) this.sortBy(key, false);
    else if (!this.down) this.sortBy(key, true);
    else this.sortBy(null, false);
  }

  sortBy(key, down) {
    Object.assign(this, { by: key, down });
    orders.set(this.place, [key, down]);
    this.heads.forEach((head, i) => head.setAttribute("aria-sort", COLUMNS[i].key !== this.by ? "none" : this.down ? "descending" : "ascending"));
    this.fill();
  }

  fill() {
    const { rows, title } = this.props;
    setText(this.title, title);
    const key = JSON.stringify([rows, this.by, this.down]);
    if (key === this.drawn) return;
    this.drawn = key;
    this.popover.close();
    this.menu.element.hidden = !this.props.csv;
    this.body.replaceChildren(...this.sorted(rows).map((row) => this.row(row)));
    if (!rows.length) this.body.append(el("tr", {}, el("td", { colspan: COLUMNS.length, class: "lpc-hint", text: tr("Nothing has been measured yet.") })));
  }

  sorted(rows) {
    const column = COLUMNS.find((one) => one.key === this.by);
    if (!column) return rows;
    const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0) * (this.down ? -1 : 1);
    return [...rows].sort((a, b) => order(column.of(a), column.of(b)));
  }

  row(row) {
    const title = tr(row.title);
    const about = this.popover.about(title, `lpc-reading-info-${row.name}`, () => ({ title: row.name, metrics: [row] }));
    const value = row.value === null ? tr(row.shown) : row.at_floor ? `≤ ${power(row.floor, 3)}` : power(row.value, 4);
    const mark = row.at_floor && el("span", { class: "lpc-floor-mark", text: tr("at floor"), title: tr("Rounding alone can give {floor}; measured: {value}", { floor: power(row.floor, 3), value: power(row.value, 3) }) });
    return el("tr", { testid: `lpc-reading-${row.name}` },
      el("th", { scope: "row" }, el("span", { class: "lpc-quantity" }, el("span", { text: title }), about)),
      el("td", { class: "lpc-number" }, el("span", { text: value, class: row.value === null ? "lpc-hint" : "" }), mark),
      el("td", { class: "lpc-number lpc-col-floor", text: row.floor === null ? "" : power(row.floor) }),
      el("td", { class: "lpc-note", text: row.reason }));
  }
}

export default keeping((element, data) => new Readings(element, data));
