import { combined, inside, join, packed } from "../../app/static/cloud/choice.js";
import { CloudCamera } from "../../app/static/cloud/camera.js";
import { Cloud } from "../../app/static/cloud/cloud.js";
import { CloudFile } from "../../app/static/cloud/file.js";
import { cloudWords } from "../../app/static/cloud/linkwords.js";
import { Hands } from "../../app/static/cloud/hands.js";
import { ticksOf } from "../../app/static/cloud/axes.js";
import { CloudPaint, FAINT, HIDDEN, SHOWN } from "../../app/static/cloud/paint.js";
import { radiusFor } from "../../app/static/cloud/sprites.js";
import { said } from "../../app/static/kit/sharing.js";
import { rgb } from "../../app/static/kit/theme.js";
import { buffers } from "../../app/static/latents/mapping.js";
import { nearest } from "../../app/static/latents/points.js";
import { close, equal, test } from "./kit.js";

test("of the samples in reach the nearest is meant that is seen, bright ones first", () => {
  const at = { x: [5, 30, 33, 90], y: [5, 30, 30, 90] };
  const strength = Uint8Array.of(SHOWN, FAINT, SHOWN, HIDDEN);
  const under = (x, y, how = strength) => nearest(at, 4, x, y, 12, how);
  equal([under(6, 6), under(30, 30), under(90, 90), under(60, 60), under(23, 23, Uint8Array.of(2, 2, 2, 0))], [0, 2, -1, -1, 1]);
});

test("a lasso takes what lies inside it, also where it bends inwards", () => {
  const path = [[0, 0], [10, 0], [10, 10], [5, 2], [0, 10]];
  const [x, y] = [[5, 5, 1, 9, 20, NaN, 2], [1, 6, 5, 5, 5, 1, 2]];
  equal(inside(path, x, y, Uint8Array.of(2, 2, 2, 2, 2, 2, 0), 7), [1, 0, 1, 1, 0, 0, 0]);
});

test("a choice is packed as numpy unpacks it, and joined as the keys say", () => {
  equal([packed(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 1)), packed(new Uint8Array(0))], [btoa("\x01\x01"), ""]);
  const [before, flags] = [Uint8Array.of(1, 1, 0, 0), Uint8Array.of(0, 1, 1, 0)];
  equal(["new", "add", "take"].map((how) => combined(before, flags, how)), [[0, 1, 1, 0], [1, 1, 1, 0], [1, 0, 0, 0]]);
  equal([combined(before, null, "add"), combined(null, flags, "take"), combined(null, flags, "add")], [null, null, [0, 1, 1, 0]]);
});

test("clouds of one group and size hear each other, until they leave", () => {
  const heard = [];
  const view = (name, total) => ({ total, hear: (what, value) => heard.push([name, what, value]) });
  const [a, b] = [join("g", view("a", 5)), join("g", view("b", 5))];
  join("g", view("other size", 6));
  join("h", view("other group", 5));
  a.tell("hover", 3);
  b.leave();
  a.tell("hover", 4);
  equal(heard, [["b", "hover", 3]]);
});

test("samples are painted where they are, faint ones faintly, and wrong ones hollow", () => {
  const canvas = document.createElement("canvas");
  const paint = new CloudPaint(canvas);
  const theme = { panel: "#ffffff" };
  paint.prepare({ w: 90, h: 20, ratio: 1, colours: ["#000000"], theme, n: 4 });
  const strength = Uint8Array.of(SHOWN, SHOWN, FAINT, HIDDEN);
  paint.paint({ x: [10.5, 30.5, 50.5, 70.5], y: [10.5, 10.5, 10.5, 10.5], depth: null, order: [0, 1, 2, 3], count: 4, labels: [0, 0, 0, 0], wrong: [0, 1, 0, 0], strength, reach: 1 });
  const at = (x) => canvas.getContext("2d").getImageData(x, 10, 1, 1).data;
  const [right, wrong, faint, hidden] = [10, 30, 50, 70].map(at);
  equal([right[0] < 60, wrong[0] > 200, wrong[3], faint[0] > 200 && faint[0] < 250, hidden[3]], [true, true, 255, true, 0]);
  equal([radiusFor(100) > radiusFor(10_000), radiusFor(10_000) > radiusFor(100_000), rgb(theme.panel)], [true, true, [255, 255, 255]]);
});

test("the cloud's camera shows everything, and zooms about the pointer", () => {
  const camera = new CloudCamera();
  const rect = { x: 0, y: 0, w: 200, h: 100 };
  camera.open([Float32Array.of(-1, 3), Float32Array.of(0, 1)], rect);
  const spots = () => camera.project([[-1, 3], [0, 1]], 2, buffers(2));
  const { x } = spots();
  if (!(x[0] > 0 && x[1] < 200 && x[1] - x[0] > 150)) throw new Error(`not all in sight: ${x}`);
  camera.zoom(5, x[0], spots().y[0]);
  close(spots().x[0], x[0], 1e-3);
  close(spots().x[1] - spots().x[0], 5 * (x[1] - x[0]), 1e-2);
  camera.reset();
  close(spots().x, [...x], 1e-4);
});

test("ticks are round numbers within the axis", () => {
  equal([ticksOf(0, 1, 5), ticksOf(-3, 3, 3), ticksOf(1, 1, 3)], [[0, 1, 2, 3, 4, 5].map((k) => k * 0.2), [-2, 0, 2], []]);
});

/** Hands on a surface with a lasso; what they tell of regions and clicks. */
function lasso() {
  const [surface, told] = [document.createElement("div"), []];
  document.body.append(surface);
  surface.setPointerCapture = () => {};
  const hooks = { tool: () => "lasso", deep: () => false, region: (path, done) => told.push([path && path.length, done]), click: () => told.push("click"), point() {} };
  const hands = new Hands(surface, hooks);
  const send = (type, clientX, clientY) => surface.dispatchEvent(new PointerEvent(type, { pointerId: 1, button: 0, clientX, clientY }));
  return { hands, told, send };
}

test("a region that is given up, or too small to be one, does not stay drawn", () => {
  const [given, small, whole] = [lasso(), lasso(), lasso()];
  for (const { send } of [given, small, whole]) send("pointerdown", 10, 10);
  for (const { send } of [given, whole]) send("pointermove", 40, 10);
  small.send("pointermove", 11, 10);
  given.send("pointercancel", 40, 10);
  for (const { send } of [small, whole]) send("pointerup", 40, 10);
  equal([given.told, small.told], [[[2, false], [null, false]], [[2, false], [null, false], "click"]]);
  equal(whole.told.at(-1), [2, true]);
});

test("a picture that could not be fetched is asked for again", async () => {
  const [fetched, answers] = [window.fetch, [new Response("", { status: 503 }), new Response(Uint8Array.of(7), { status: 206 })]];
  window.fetch = async () => answers.shift();
  try {
    const file = new CloudFile({ info: { n: 1, d: 2, K: 1, image: [1, 1, 1], images_at: 0 }, tensors: { labels: { data: Uint16Array.of(0) } } }, () => ({ imagesUrl: "/images" }));
    equal(await file.thumb(0).catch(({ message }) => message), "the points could not be loaded (503)");
    equal((await file.thumb(0)).data, [7, 7, 7, 255]);
    equal([file.rows[0], file.sampleOf(0), file.sampleOf(1), file.sampleOf(-1)], [0, 0, -1, -1]);
  } finally {
    window.fetch = fetched;
  }
});

const later = () => new Promise((resolve) => setTimeout(resolve));

/** A cloud of one sample without a picture, whose axes along nodes come when `wait` has. */
function cloudOf(wait, more = {}) {
  const axes = async (kind) => {
    if (kind === "nodes") await wait;
    return { kind, titles: [kind], xyz: [[0]], points: null };
  };
  const [status, cover] = [document.createElement("p"), document.createElement("p")];
  return Object.assign(Object.create(Cloud.prototype), {
    gone: false, share: null, axes: null, afterLook: [], status, cover, file: { n: 1, K: 1, info: { total: 1, class_names: ["A"] }, learn: async () => true, axes },
    tools: { sight: { kind: "nodes", nodes: [0, 1], dims: 2 }, none: {}, open() {} }, gamma: { open() {}, allow() {} }, choice: { count: 0, flags: null },
    legend: { focus: new Set() }, picture: { look() {}, strengthen() {}, dress() {} }, ...more,
  });
}

test("what is foretold late does not take back the axes that were chosen meanwhile", async () => {
  let send;
  const cloud = cloudOf(new Promise((resolve) => (send = resolve)));
  const learning = cloud.learn();
  await later();
  await cloud.look({ kind: "pca" });
  send();
  await learning;
  equal(cloud.axes.kind, "pca");
});

test("what has become known since is seen as the cloud is looked at, a head alone from afar", async () => {
  const looks = [];
  const picture = { look: (xyz) => looks.push([picture.axes.kind, xyz]), strengthen() {} };
  const cloud = cloudOf(null, { picture });
  await cloud.look(cloud.tools.sight);
  await cloud.learn();
  equal([looks, picture.axes === cloud.axes], [[["nodes", [[0]]]], true]);
  cloud.file.n = 0;
  await cloud.learn();
  equal(looks.length, 2);
});

test("a sample whose tooltip a movement hid has it again when it is pointed at", () => {
  const told = [];
  const tip = { element: { hidden: false }, hide: () => (tip.element.hidden = true), fill: (_, i) => told.push(i), place: () => (tip.element.hidden = false) };
  const picture = { nearest: () => 0, spotOf: () => [0, 0], move() {} };
  const cloud = cloudOf(null, { hover: 0, axes: {}, tip, plot: {}, picture, choice: { point() {} }, request() {} });
  cloud.point(5, 5);
  cloud.moved(() => {});
  cloud.point(5, 5);
  cloud.point(5, 5);
  equal(told, [0]);
});

test("a link's nodes are followed by others, each once, for the third direction", () => {
  const seen = [];
  const tools = { sight: { kind: "pca", nodes: [0, 1, 2], dims: 2 }, offers: ["nodes", "pca"], layers: { on: {} }, change: (sight) => seen.push(sight) };
  cloudWords({ tools, camera: {}, choice: {}, gamma: {}, file: { d: 8 } }).view[1]("n0-3");
  equal(seen, [{ kind: "nodes", nodes: [0, 3, 1], dims: 2 }]);
});

test("a cloud that has gone says nothing of itself in a link", () => {
  cloudOf(null, { gone: true, share: {}, axes: {} }).takeUp();
  equal(said(), []);
});

test("the classes' bars are hatched in the ground's colour beside a cloud too", () => {
  const drawn = [];
  cloudOf(null, { theme: { panel: "#123", dark: false }, legend: { draw: (...what) => drawn.push(what) } }).recolour();
  equal(drawn.map(([names, , ink]) => [names, ink]), [[["A"], "#123"]]);
});

test("what is foretold is news once, though it is asked for twice", async () => {
  const fetched = window.fetch;
  const header = new TextEncoder().encode(JSON.stringify({ __metadata__: { info: JSON.stringify({ gammas: [1] }) } }));
  window.fetch = async () => new Response(new Blob([BigUint64Array.of(BigInt(header.length)), header]));
  try {
    const file = new CloudFile({ info: { n: 0, d: 2, K: 1 }, tensors: {} }, () => ({ theoryUrl: "/theory" }));
    equal([await Promise.all([file.learn(), file.learn()]), await file.learn(), file.G], [[true, false], false, 1]);
  } finally {
    window.fetch = fetched;
  }
});
