import { FilmData } from "../../app/static/film/data.js";
import { momentOf } from "../../app/static/kit/frames.js";
import { Camera, extentOf } from "../../app/static/latents/camera.js";
import { exportFigure } from "../../app/static/latents/handover.js";
import { Ghosts } from "../../app/static/latents/ghosts.js";
import { buffers, mappingOf, projectAll, projectVector, rotationOf } from "../../app/static/latents/mapping.js";
import { depthOrder, nearest } from "../../app/static/latents/points.js";
import { decadesOf, drawRuler } from "../../app/static/latents/ruler.js";
import { Tween, comparable } from "../../app/static/latents/tween.js";
import { GammaControl } from "../../app/static/live/gamma.js";
import { LiveView } from "../../app/static/live/view.js";
import { logAxis, positiveExtent } from "../../app/static/panels/chart.js";
import { History } from "../../app/static/panels/history.js";
import { bytes, close, equal, json, test } from "./kit.js";

const RECT = { x: 10, y: 20, w: 200, h: 100 };

test("a plane puts its centre in the middle, and up is up", () => {
  const mapping = mappingOf(RECT, 1, -2, 10);
  const out = projectAll(mapping, [1, -2, 2, -1], 2, 2, buffers(2));
  equal([out.x, out.y], [[110, 120], [70, 60]]);
  equal(projectVector(mapping, 1, 1), [10, -10]);
});

test("turning keeps lengths and angles, and nothing is turned at first", () => {
  equal(rotationOf(0, 0).map((value) => value + 0), [1, 0, 0, 0, 1, 0, 0, 0, 1]);
  for (const [yaw, pitch] of [[0.6, 0.45], [-2, 1.5]]) {
    const m = rotationOf(yaw, pitch);
    const row = (i) => m.slice(3 * i, 3 * i + 3);
    const dots = [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => row(i).reduce((sum, value, k) => sum + value * row(j)[k], 0)));
    close(dots, [1, 0, 0, 0, 1, 0, 0, 0, 1], 1e-12);
  }
  const mapping = mappingOf(RECT, 0, 0, 25, rotationOf(Math.PI / 2, 0));
  const { x, y, depth } = projectAll(mapping, [0, 0, 1], 1, 3, buffers(1));
  close([x[0], y[0], depth[0]], [110 + 25, 70, 0], 1e-4);
});

test("the zoom waits until the shell is small, then glides, and stays where it is fixed", () => {
  const camera = new Camera();
  camera.update(7.5, 0, false);
  close(camera.half, 10);
  equal([camera.update(3.1, 0, false), camera.half], [false, 10]);
  equal(camera.update(2.9, 1_000, false), true);
  camera.update(2.9, 1_250, false);
  close(camera.half, Math.sqrt(10 * (2.9 / 0.75)), 1e-9);
  equal(camera.update(2.9, 1_501, false), false);
  close(camera.half, 2.9 / 0.75, 1e-9);
  camera.setMode("fixed");
  camera.update(100, 2_000, true);
  close(camera.half, 2.9 / 0.75, 1e-9);
  camera.setMode("follow");
  equal([camera.update(100, 2_000, true), camera.update(NaN, 0, false)], [false, false]);
  close(camera.half, 100 / 0.75, 1e-9);
});

test("the view holds nearly all points, and the shell where it has one", () => {
  const xy = Float32Array.from({ length: 200 }, (_, i) => (i % 2 ? 0 : i / 2));
  equal([extentOf({ xy, n: 100, p: 2, norm_mean: 500 }, 2), extentOf({ xy, n: 100, p: 2, norm_mean: 3 }, 2)], [500, 94]);
  close(extentOf({ xy, n: 100, p: 2, norm_mean: 500 }, 8), 94, 1e-9); // a plane through eight nodes has no shell
});

test("on a page too busy to draw the picture does not fall behind its numbers", () => {
  const tween = new Tween();
  for (let i = 0; i < 6; i++) tween.push(scene(2 ** i), 400 * i); // nothing is drawn in between
  close(tween.at(2_000).scene.norm_mean, 32);
  tween.push(scene(64), 2_040);
  close(tween.at(2_040).scene.norm_mean, 32); // on time again: it glides
});

const scene = (value, more = {}) => ({ info: { run: 1, projection: "pca", nodes: [] }, n: 1, p: 2, xy: Float32Array.of(value, value), means: Float32Array.of(value), collapse_points: null, forces: null,
  norm_mean: value, predicted_radius: null, gamma: value, ...more });

test("a tween goes straight from what is shown to what came, and ends there", () => {
  const tween = new Tween();
  equal(tween.at(0), { scene: null, moving: false });
  tween.push(scene(0), 1_000);
  equal([tween.at(1_000).moving, tween.at(1_000).scene.norm_mean], [false, 0]);
  tween.push(scene(10, { predicted_radius: 4 }), 1_040);
  const half = tween.at(1_040 + 23);
  equal([half.moving, half.scene.predicted_radius], [true, 4]);
  close([half.scene.norm_mean, half.scene.xy[0]], [5, 5], 1e-5);
  const end = tween.at(2_000);
  equal([end.moving, end.scene.xy, end.scene.norm_mean], [false, [10, 10], 10]);
  tween.push(scene(3, { info: { run: 2, projection: "pca", nodes: [] } }), 2_040);
  equal([tween.at(2_041).moving, tween.at(2_041).scene.norm_mean], [false, 3]);
  equal([comparable(null, scene(1)), comparable(scene(1), scene(2)), comparable(scene(1), scene(1, { n: 2 }))], [false, true, false]);
});

test("the nearest sample is found within reach only, and far ones are drawn first", () => {
  const at = { x: [0, 10, 11], y: [0, 10, 10] };
  equal([nearest(at, 3, 10.2, 10, 12), nearest(at, 3, 10.8, 10, 12), nearest(at, 3, 40, 40, 12), nearest(at, 1, 10, 10, 12)], [1, 2, -1, -1]);
  equal(depthOrder([3, 1, 2], 3), [1, 2, 0]);
});

test("rings stay where γ passed a decade, until it comes back down", () => {
  const ghosts = new Ghosts();
  for (const [gamma, radius] of [[0.5, 8], [2, 5], [20, 3], [25, 2]]) ghosts.watch(gamma, radius);
  equal([ghosts.list(2), ghosts.largest], [[{ exponent: 0, radius: 5 }, { exponent: 1, radius: 3 }], 8]);
  equal(ghosts.list(3), [{ exponent: 0, radius: 5 }]);
  ghosts.watch(3, 5);
  equal(ghosts.list(1), [{ exponent: 0, radius: 5 }]);
});

/** Where the strip's mark is, and its words. */
function ruled(radius, beside) {
  const seen = { y: null, words: [] };
  const calls = { arc: (_, y) => (seen.y = y), fillText: (text) => seen.words.push(text) };
  const ctx = new Proxy({}, { get: (_, name) => calls[name] ?? (() => {}), set: () => true });
  drawRuler(ctx, { x: 0, y: 0, w: 400, h: 400 }, beside, { radius, told: radius, largest: 10, rings: [] }, { font: "x" });
  return seen;
}

test("the strip shows the shell shrinking however the view zooms: each decade of R the same way down", () => {
  equal([decadesOf(10, 10), decadesOf(0.1, 10), decadesOf(1e-5, 10)], [3, 3, 7]);
  const [most, tenth, hundredth] = [10, 1, 0.1].map((radius) => ruled(radius, 54));
  close([tenth.y - most.y, hundredth.y - tenth.y], [50, 50], 1e-9);
  equal([hundredth.words.at(-1), hundredth.words.includes("max"), ruled(0.1, 26).words], ["R 0.100", true, ["R 0.100"]]);
  equal([ruled(NaN, 54), ruled(0, 54)], [{ y: null, words: [] }, { y: null, words: [] }]);
});

test("a saved picture is filled by its points and says of which data, γ and step it is", () => {
  const drawn = { xy: [0.02, 0, 0, -0.03], n: 2, p: 2, predictions: [0, 1], norm_mean: 0.025, predicted_radius: 0.024, collapse_points: [0.02, 0, 0, -0.02], info: { gamma: 31.6, step: 1200, projection: "nodes" } };
  const setup = { info: { title: "Moons", class_names: ["A", "B"] }, labels: [0, 1] };
  const look = (whole) => exportFigure({ layout: () => ({ xaxis: { range: [-9, 9] }, yaxis: { range: [-9, 9] } }) }, drawn, setup, ["#000", "#fff"], {}, whole).layout;
  const { title, xaxis, yaxis, shapes } = look(true);
  equal(title.text, "Moons: γ = 31.6, step 1,200, R = 0.0250");
  close([...xaxis.range, ...yaxis.range], [-0.0336, 0.0336, -0.0336, 0.0336], 1e-9);
  equal([shapes.map(({ x1 }) => x1), look(false).shapes], [[0.025, 0.024], []]);
});

test("a history keeps its newest point and fills what was not known", () => {
  const history = new History();
  history.append({ step: 0, gamma: 1 });
  history.append({ step: 1, gamma: 1, ce: 0.5 });
  equal([history.columns, history.length, history.latest], [{ step: [0, 1], gamma: [1, 1], ce: [null, 0.5] }, 2, { step: 1, gamma: 1, ce: 0.5 }]);
  history.append({ step: 0, gamma: 2 });
  equal([history.columns, history.length], [{ step: [0], gamma: [2] }, 1]);
  history.load({ step: [4, 5], radius: [1, 2] });
  equal([history.length, history.latest], [2, { step: 5, radius: 2, gamma: undefined }]);
});

test("a long history is thinned evenly, and its end is always now", () => {
  const history = new History();
  for (let step = 0; step <= 5_000; step++) {
    history.append({ step, gamma: 1, twice: 2 * step });
    if (history.columns.step.at(-1) !== step || history.length > 1_001) throw new Error(`at step ${step}: ${history.length} points to ${history.columns.step.at(-1)}`);
  }
  const { step, twice } = history.columns;
  equal([step[0], twice], [0, step.map((value) => 2 * value)]);
  const gaps = new Set(step.slice(1, -1).map((value, i) => value - step[i]));
  if (Math.max(...gaps) > 2 * history.stride) throw new Error(`gaps ${[...gaps]}`);
});

test("a log axis holds its data, and is never without room", () => {
  equal([positiveExtent([0, -1, null, 3], [2, Infinity]), positiveExtent([0]), positiveExtent()], [[2, 3], [1e-3, 10], [1e-3, 10]]);
  const [from, to] = logAxis([1, 1], 0.06).range;
  close([from, to], [-0.15, 0.15], 1e-9);
});

test("a film of Python's is decoded to the positions and predictions that Python has", async () => {
  const film = new FilmData(await bytes("film"));
  const known = await json("film.json");
  equal([film.G, film.T, film.gammas, film.steps], [3, 4, known.gammas, known.steps]);
  for (let at = 0; at < 12; at++) {
    close(film.positions(at), known.positions[at], 2e-6);
    equal(film.predictions(at), known.predictions[at]);
  }
  close(film.norm_mean, known.norm_mean, 1e-6);
});

test("a film with older names has the same moments", async () => {
  const [older, newer] = (await Promise.all(["older-film", "film"].map(bytes))).map((raw) => momentOf(new FilmData(raw).message(2, 3, [0, 1], "paused")));
  for (const name of ["predictions", "collapse_points", "forces", "norm_mean", "predicted_radius", "xy"]) equal(older[name], newer[name]);
  const parts = (film) => film.message(1, 2, [0], "paused").tensors.node_peak_distance.data;
  equal(...(await Promise.all(["older-film", "film"].map(bytes))).map((raw) => parts(new FilmData(raw))));
  equal([older.info.hist_range, older.n], [newer.info.hist_range, 41]);
});

test("a film brings the words of its metrics, and the page's own come first", async () => {
  const raw = await bytes("film");
  const alone = new FilmData(raw).catalogue;
  const { metrics, charts } = await json("catalogue.json");
  equal(alone.metrics.norm_cv, metrics.norm_cv);
  equal(Object.keys(alone.charts), []);
  const both = new FilmData(raw, { metrics: { norm_cv: { title: "the page's" } }, charts }).catalogue;
  equal([both.metric("norm_cv").title, both.metric("abs_cv").title, both.chart("radius").title], ["the page's", metrics.abs_cv.title, charts.radius.title]);
});

test("a film's moment is a frame, with every sample in one bin of its node", async () => {
  const film = new FilmData(await bytes("film"));
  const { info, tensors } = film.message(2, 3, [0, 1], "paused");
  equal([info.gamma, info.step, tensors.xy.shape, tensors.hist_class.shape], [100, film.steps[3], [film.n, 2], [2, film.K, 48]]);
  equal(tensors.hist_class.data.reduce((sum, count) => sum + count, 0), 2 * film.n);
  const { hist_range: { data: ranges } } = film.tensors;
  const bins = new Uint16Array(48);
  for (let i = 0; i < film.n; i++) bins[Math.min(47, Math.max(0, Math.floor((tensors.xy.data[2 * i] / ranges[11] + 1) * 24)))] += 1;
  const ofNode = bins.map((_, b) => Array.from({ length: film.K }, (__, c) => tensors.hist_class.data[c * 48 + b]).reduce((sum, count) => sum + count, 0));
  equal(ofNode, bins);
  equal([film.nearest(0.05), film.nearest(0.2), film.nearest(1e9)], [0, 1, 2]);
});

test("a frame that comes before γ was sent does not take it back", async () => {
  const sent = [];
  const control = new GammaControl({ send: (message) => sent.push(message), sent: () => {}, info: () => null });
  control.setup({ gamma_start: 1e-4, gamma_end: 100 });
  control.set(5);
  control.update({ gamma_seq: 0, gamma: 1e-3, gamma_mode: "auto", gamma_target: 1e-3 });
  await new Promise(requestAnimationFrame);
  equal([control.mode, control.value, sent], ["hand", 5, [{ type: "gamma", value: 5, seq: 1 }]]);
});

test("the charts come after a few frames, and at once where the run stands still", () => {
  const fetchedAfter = (...states) => {
    const view = Object.assign(Object.create(LiveView.prototype), { charts: 1, stats: { frameDraws: 0 }, gamma: { update() {} }, notices: { frame() {} }, show() {} });
    view.fetchPlotly = () => (view.charts = 0);
    for (const state of states) view.showFrame({ info: { state } }, 0);
    return view.charts === 0;
  };
  const running = Array(6).fill("running");
  equal([fetchedAfter(...running.slice(3)), fetchedAfter(...running), fetchedAfter("paused"), fetchedAfter("running", "finished")], [false, true, true, true]);
});

test("the slider's places are powers of ten, and its keys parts of a decade", () => {
  const sent = [];
  const control = new GammaControl({ send: (message) => sent.push(message), sent: () => {}, info: () => null });
  control.setup({ gamma_start: 1e-4, gamma_end: 100 });
  equal([control.low, control.high], [-4, 6]);
  close([0, 1e-4, 10, 1e6, 1e9].map((gamma) => control.shareOf(gamma)), [0, 0, 0.5, 1, 1], 1e-9);
  control.rail.to(0.5);
  close([control.value, control.shareOf(control.value)], [10, 0.5], 1e-9);
  control.nudge(1);
  close(control.value, 100, 1e-9);
  control.nudge(-99);
  close(control.value, 1e-4, 1e-12);
  const press = (key) => control.slider.dispatchEvent(new KeyboardEvent("keydown", { key }));
  press("ArrowRight");
  close(Math.log10(control.value), -4 + 1 / 20, 1e-9);
  press("PageUp");
  close(Math.log10(control.value), -3 + 1 / 20, 1e-9);
  control.flush();
  equal([control.mode, sent.map(({ type, seq }) => [type, seq])], ["hand", [["gamma", 1]]]);
  control.setup({ gamma_start: 1e-7, gamma_end: 1e8 });
  equal([control.low, control.high, control.slider.getAttribute("aria-valuemin")], [-7, 8, "-7"]);
});
