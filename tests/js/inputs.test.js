import { sheetOf } from "../../app/static/inputs/tiles.js";
import { Linked, countsOf, flagsOf } from "../../app/static/kit/linked.js";
import { pointTraces } from "../../app/static/latents/handover.js";
import { Hover } from "../../app/static/latents/hover.js";
import { Legend } from "../../app/static/latents/legend.js";
import { BINS } from "../../app/static/charts/histogram.js";
import { chosenCounts } from "../../app/static/panels/nodes.js";
import { equal, test } from "./kit.js";

test("flags are of those that are meant, and none of nobody", () => {
  equal(flagsOf(4, [1, 3, 3]), [0, 1, 0, 1]);
  equal([flagsOf(4, []), flagsOf(4, [-1, 4])], [null, null]);
  equal(countsOf([1, 0, 1, 1], [2, 0, 0, 2]), [[0, 1], [2, 2]]);
});

test("what one view points at or chooses all views hear once, and another run knows nothing of it", () => {
  const linked = new Linked();
  let heard = 0;
  linked.hear(() => (heard += 1));
  linked.open(3);
  linked.point(2);
  linked.point(2);
  const [some, others] = [flagsOf(3, [0]), flagsOf(3, [1])];
  linked.choose(some);
  linked.glance(others);
  equal([heard, linked.flags === others, linked.active], [4, true, true]);
  linked.glance(null);
  equal(linked.flags === some, true);
  linked.open(5);
  equal([linked.pointed, linked.flags, linked.active, linked.count], [-1, null, false, 5]);
});

test("chosen samples are counted in the bars they are in, by class or together", () => {
  const [bins, flags, labels] = [Uint8Array.of(0, 0, 5, 47), Uint8Array.of(1, 1, 0, 1), Uint8Array.of(0, 1, 1, 1)];
  const own = chosenCounts(bins, flags, labels, 2);
  equal([own[0], own[BINS], own[BINS + 47], own.reduce((sum, count) => sum + count, 0)], [1, 1, 1, 3]);
  const together = chosenCounts(bins, flags, labels, 1);
  equal([together[0], together[47], together.length], [2, 1, BINS]);
});

test("a sheet of pictures has as many of each class, the chosen ones alone, and always the one pointed at", () => {
  const labels = [0, 1, 0, 1, 0, 1, 0, 2];
  equal(sheetOf(labels, 3, 5, null, -1), [0, 2, 1, 3, 7]);
  equal(sheetOf(labels, 3, 99, null, -1).length, 8);
  equal(sheetOf(labels, 3, 5, flagsOf(8, [5, 6]), -1), [6, 5]);
  equal(sheetOf(labels, 3, 5, null, 6), [0, 6, 1, 3, 7]);
  equal(sheetOf(labels, 3, 2, flagsOf(8, [1]), 7), [7]);
});

test("in Plotly's hands the chosen samples of each class are its selected points", () => {
  const scene = { n: 4, p: 2, xy: new Float32Array(8), predictions: Uint8Array.of(0, 1, 0, 1) };
  const setup = { info: { class_names: ["A", "B"] }, labels: Uint8Array.of(0, 1, 0, 1) };
  const traces = (flags) => pointTraces(scene, setup, ["red", "blue"], new Set(), { panel: "white" }, flags).map(({ selectedpoints }) => selectedpoints);
  equal(traces(flagsOf(4, [2, 3])), [[1], [1]]);
  equal(traces(flagsOf(4, [0])), [[0], []]);
  equal(traces(null), [undefined, undefined]);
});

test("in other colours the classes kept bright stay so; other classes are all bright", () => {
  const host = document.createElement("div");
  const legend = new Legend(host, () => {});
  const pressed = () => [...host.children].map((chip) => chip.getAttribute("aria-pressed"));
  legend.draw(["A", "B"], ["red", "blue"], "white");
  legend.keep([1]);
  legend.draw(["A", "B"], ["pink", "cyan"], "black");
  equal([[...legend.focus], pressed()], [[1], ["false", "true"]]);
  legend.draw(["A", "C"], ["pink", "cyan"], "black");
  equal([[...legend.focus], pressed()], [[], ["false", "false"]]);
});

test("a tooltip forgets the picture of the run before", () => {
  const surface = document.createElement("div");
  document.body.append(surface);
  const setup = { info: { class_names: ["A"], image: [1, 1, 1] }, labels: [0] };
  const source = () => ({ at: { x: [0], y: [0] }, scene: { n: 1, p: 2, xy: new Float32Array(2), predictions: [0] }, setup, titles: ["x", "y"] });
  let asked = 0;
  const hover = new Hover(surface, document.body, source, () => (asked += 1), { point() {} });
  const picture = () => document.querySelector("[data-testid=lpc-tip] canvas").hidden;
  hover.keep(0);
  hover.refresh();
  equal([picture(), asked], [true, 1]);
  hover.setThumbs({ data: Uint8Array.of(9), shape: [1, 1, 1, 1] });
  equal(picture(), false);
  hover.clear();
  hover.refresh();
  equal([picture(), asked], [true, 2]);
});

test("a tooltip kept at a sample that the next run has not says nothing", () => {
  const surface = document.createElement("div");
  const drawn = { at: { x: [0, 1], y: [0, 1] }, scene: { n: 2, p: 2, xy: new Float32Array(4), predictions: [0, 0] }, setup: { info: { class_names: ["A"] }, labels: [0, 0] }, titles: ["x", "y"] };
  const hover = new Hover(surface, document.body, () => drawn, () => false, { point() {} });
  const hidden = () => document.querySelector("[data-testid=lpc-tip]").hidden;
  hover.keep(1);
  equal(hidden(), false);
  drawn.scene.n = 1;
  hover.refresh();
  equal(hidden(), true);
});
