import { Catalogue } from "../../app/static/charts/catalogue.js";
import { ViewControls } from "../../app/static/live/viewcontrols.js";
import { Curves } from "../../app/static/panels/curves.js";
import { equal, json, test } from "./kit.js";

/** Chooses `value` in a menu that `menu()` finds, by keys; returns whether the menu is a new one that has the focus and the choice. */
function chosenByKeys(menu, value) {
  const before = menu();
  before.focus();
  before.value = value;
  before.dispatchEvent(new Event("change"));
  return [menu() !== before, document.activeElement === menu(), menu().value];
}

test("a menu of curves that is built anew by its choice keeps the focus", async () => {
  const [chart, tools] = [document.createElement("div"), document.createElement("div")];
  document.body.append(chart, tools);
  const curves = new Curves({ chart, tools }, { clock: { add: () => ({ touch() {} }) }, info: () => document.createElement("button") });
  curves.explain(new Catalogue(await json("catalogue.json")));
  equal(chosenByKeys(() => chart.querySelectorAll("select")[2], "accuracies"), [true, true, "accuracies"]);
  document.activeElement.blur();
  curves.swap(1, "nc1"); // by a link
  equal(document.activeElement, document.body);
});

test("a menu of nodes that is built anew by its choice keeps the focus", () => {
  const controls = new ViewControls({ onView: () => {}, onZoom: () => {} });
  document.body.append(controls.element);
  controls.setup(5);
  controls.change({ projection: "nodes" });
  equal(chosenByKeys(() => controls.nodes.querySelectorAll("select")[1], "4"), [true, true, "4"]);
});
