import { BINS } from "../../app/static/charts/histogram.js";
import { columnTable, csvOf, latentTable, nodeTable } from "../../app/static/panels/saves.js";
import { equal, test } from "./kit.js";

test("a table is written with quotation marks, gaps for what is no number, and no formulas", () => {
  equal(csvOf([["a", "b"], [1.5, "x"], [NaN, 'say "no"'], [null, "=1+1"], [-2, "@x"]]), '"a","b"\n1.5,"x"\n,"say ""no"""\n,"\'=1+1"\n-2,"\'@x"\n');
});

test("columns become rows", () => {
  equal(columnTable({ step: [0, 1], loss: [2, null] }), [["step", "loss"], [0, 2], [1, null]]);
});

test("latents are saved with their class, their prediction and their place in the view", () => {
  const latents = { current: { scene: { xy: new Float32Array([1, 2, 3, 4]), n: 2, p: 2, predictions: [1, 1] } }, setupMessage: { info: { class_names: ["A", "B"] }, labels: [0, 1] }, titles: ["z₁", "z₂", "z₃"] };
  equal(latentTable(latents), [["sample", "class", "predicted", "z₁", "z₂"], [0, "A", "B", 1, 2], [1, "B", "B", 3, 4]]);
  equal(latentTable({ ...latents, current: null, setupMessage: null }), [["sample"]]); // before the first frame
});

test("histograms are saved bin by bin, for every node in large and every class", () => {
  const data = new Uint16Array(2 * 2 * BINS);
  data[BINS + 3] = 7; // node 4, class B, bin 3
  const [head, ...rows] = nodeTable({ message: { info: { large: [4, 9], hist_range: 24 }, tensors: { hist_class: { data, shape: [2, 2, BINS] } } } }, ["A", "B"]);
  equal([head, rows.length], [["node", "class", "from", "to", "samples"], 4 * BINS]);
  equal(rows.filter((row) => row[4] > 0), [["z₅", "B", -21, -20, 7]]);
  equal(nodeTable({ message: null }, []), [head]);
});
