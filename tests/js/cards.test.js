import { Cards } from "../../app/static/cards/cards.js";
import { CardView } from "../../app/static/charts/card.js";
import { Microscope } from "../../app/static/cards/microscope.js";
import { Readings } from "../../app/static/cards/readings.js";
import { Sample, spacing } from "../../app/static/cards/scopedata.js";
import { MetricPopover } from "../../app/static/controls/metricpopover.js";
import { close, equal, test } from "./kit.js";

test("the microscope measures one class about its mean", () => {
  equal([1, 0, 2, 3, 1e-3].map((x) => Math.fround(x + spacing(x)) > Math.fround(x)), [true, true, true, true, true]);
  equal([spacing(1), spacing(1.9), spacing(2), spacing(-4), spacing(0)], [2 ** -23, 2 ** -23, 2 ** -22, 2 ** -21, 2 ** -149]);
  const latents = { shape: [4, 2], data: Float32Array.of(1, 0, 3, 0, 3, 0, 10, 4) };
  const about = new Sample({ latents, labels: { data: [0n, 0n, 0n, 1n] }, collapse_points: { data: [2, 0, 10, 4] } }).about(0);
  close(about.mean, [7 / 3, 0]);
  close(about.distances, [4 / 3, 2 / 3, 2 / 3]);
  close([about.median, about.farthest, about.nearestOther], [2 / 3, 4 / 3, Math.hypot(10 - 7 / 3, 4)]);
  close(about.predicted, [-1 / 3, 0]);
  equal([about.inside([0, 1], 1), about.within([0, 1], 1).get(0).map(({ count }) => count), about.within([0, 1], 20).size], [2, [2], 2]);
});

test("an i of a chart about which there is no more than its own words says these", () => {
  const popover = new MetricPopover(document.body);
  document.body.append(popover.about("Figure 2", "lpc-card-info-fig2", () => ({ title: "Figure 2", text: "The paper's.", metrics: [], more: null })));
  document.querySelector("[data-testid=lpc-card-info-fig2]").click();
  equal([popover.element.hidden, popover.title.textContent, popover.text.textContent, popover.more.children.length], [false, "Figure 2", "The paper's.", 0]);
  popover.close();
});

test("an axis that a link zoomed and a hand let go is told no more", () => {
  const view = Object.assign(Object.create(CardView.prototype), {
    card: { key: "nc1" }, plot: { _fullLayout: { xaxis: { range: [0, 3] }, yaxis: { range: [1, 2] } } }, zoomedAxes: new Set(), linked: { ranges: {} }, tick() {},
  });
  view.zoomTo("x", 0, 3);
  view.zoomed({ "yaxis.range[0]": 1, "yaxis.range[1]": 2 });
  equal(view.zooms, ["nc1:x:0:3", "nc1:y:1:2"]);
  view.zoomed({ "xaxis.autorange": true });
  equal(view.zooms, ["nc1:y:1:2"]);
  view.plot._fullLayout = { xaxis: { range: [0, 3] } }; // other data, which need no such axis
  equal(view.zooms, []);
});

test("a link's line that a chart has not yet waits, and draws nothing anew", () => {
  const view = Object.assign(Object.create(CardView.prototype), { card: { key: "nc1", figure: { data: [{}, {}] } }, drawn: "as it is", linked: { off: new Set() } });
  let asked = 0;
  const { lines: [, take], axes: [, zoom] } = Cards.prototype.words.call({ views: new Map([["nc1", view]]), request: () => (asked += 1) });
  equal([take("nc1.2,others.0"), zoom("others:x:0:1"), view.drawn, asked], ["nc1.2,others.0", "others:x:0:1", "as it is", 0]);
  equal([take("nc1.1,others.0"), [...view.linked.off], view.drawn, asked], ["others.0", [1], "", 1]);
});

/** A microscope of as many moments as `load` gives, at the last one; no charts. */
function microscope(...load) {
  const moments = load.map((_, i) => ({ step: i, url: String(i) }));
  const own = class extends Microscope {
    load(url) {
      return load[url]();
    }
  };
  return new own(document.body, { moments, classNames: ["A", "B", "C"], styled: true, Plotly: new Promise(() => {}) });
}

const moment = async () => new Sample({ latents: { shape: [2, 2], data: Float32Array.of(1, 0, 3, 0) }, labels: { data: [0n, 2n] } });

test("a moment that cannot be read says so while it is the one looked at", async () => {
  const failing = () => Promise.reject(new Error("gone"));
  const scope = microscope(failing, moment);
  const [late, now] = [scope.go(0), scope.go(1)];
  await Promise.all([late, now]);
  equal(scope.sentence.textContent.includes("gone"), false);
  await scope.go(0);
  equal(scope.sentence.textContent.includes("gone"), true);
  scope.destroy();
});

test("the microscope offers the classes that have samples", async () => {
  const scope = microscope(moment);
  await scope.go(0);
  equal([...document.querySelector("[data-testid=lpc-scope-class]").options].map(({ text }) => text), ["A", "C"]);
  scope.destroy();
});

test("another study begins without the numbers of the one before", async () => {
  const scope = microscope(moment);
  await scope.go(0);
  scope.load = () => new Promise(() => {});
  scope.update({ moments: [{ step: 0, url: "other" }] });
  scope.magnify(1);
  scope.draw();
  equal([scope.shown, scope.sentence.textContent, scope.cloud.card.empty], [null, "", "The microscope opens with the first moment."]);
  scope.destroy();
});

test("a table that is built anew stands in the order of the one before, whichever of the two goes first", () => {
  const made = () => new Readings(document.body.appendChild(document.createElement("div")), { key: "readings", title: "All", rows: [], csv: "", plotlyUrl: "" });
  const before = made();
  before.sort("value");
  before.sort("value");
  const after = made();
  before.destroy();
  equal([after.by, after.down, after.heads[1].getAttribute("aria-sort")], ["value", true, "descending"]);
  after.sort("value");
  after.destroy();
  const last = made();
  equal([last.by, last.heads[1].getAttribute("aria-sort")], [null, "none"]);
  last.destroy();
});
