import { decode, partsOf } from "../../app/static/kit/frames.js";
import { regionsOf } from "../../app/static/offline/panel.js";
import { Batches } from "../../app/static/engine/batches.js";
import { Camera } from "../../app/static/offline/camera.js";
import { encodeGroup } from "../../app/static/offline/encode.js";
import { sentence } from "../../app/static/offline/narrate.js";
import { picture } from "../../app/static/offline/picture.js";
import { Lockstep, ofRun } from "../../app/static/engine/lockstep.js";
import { orthogonalised } from "../../app/static/engine/optimizers.js";
import { multiply } from "../../app/static/engine/products.js";
import { svd } from "../../app/static/engine/rotations.js";
import { Run } from "../../app/static/offline/run.js";
import { Trainer } from "../../app/static/engine/trainer.js";
import { bytes, close, equal, json, test } from "./kit.js";

const pack = async (name) => decode(await bytes(`${name}.run`));

/** Agree to `share` of the largest of them. */
function agree(what, got, expected, share) {
  const largest = Math.max(...expected.map(Math.abs));
  try {
    close(Array.from(got), expected, share * largest);
  } catch (error) {
    throw new Error(`${what}: ${error.message}`, { cause: error });
  }
}

/** The run after the steps that Python's engine did, its hand on γ included. */
function trained(known, given, hand) {
  const trainer = new Trainer(ofRun(given, 0));
  const stops = hand ? [[hand[0], () => trainer.gamma.hold(hand[1])], [hand[2], () => trainer.gamma.release()]] : [];
  for (const [step, act] of stops) {
    trainer.advance(step - trainer.step);
    act();
  }
  trainer.advance(known.steps - trainer.step);
  return trainer;
}

async function each(body) {
  const known = await json("offline.json");
  for (const name of known.runs) await body(name, trained(known, await pack(name), known.hand[name]), await json(`${name}.json`));
}

test("after 200 steps of every optimiser, activation and schedule the weights are those of the server's engine", () => each((name, trainer, known) => {
  agree(`${name}, weights`, trainer.network.values, known.values, 1e-5);
  agree(`${name}, γ and rate`, [trainer.gamma.value, trainer.lr], [known.gamma, known.lr], 1e-9);
}));

test("runs side by side are those of the server, and only those that follow hear the hand", async () => {
  const { steps, hand: [at, gamma], members } = await json("pair.json");
  const pair = new Lockstep(await pack("pair"));
  equal(pair.advance(at), at);
  pair.hold(gamma);
  equal([pair.advance(steps - at), pair.step, pair.leader], [steps - at, steps, 1]);
  pair.members.forEach(({ network, gamma: driver }, i) => {
    agree(`run ${i}, weights`, network.values, members[i].values, 1e-5);
    agree(`run ${i}, γ`, [driver.value], [members[i].gamma], 1e-9);
  });
  pair.setRate(1e300); // in a run of AdamW, one step of it is the end
  pair.members[0].baseRate = 0;
  pair.advance(pair.limit);
  equal([pair.members.map(({ diverged }) => diverged), pair.diverged, pair.finished, pair.reason], [[false, true], false, true, ""]);
  equal(pair.step, pair.members[0].step);
});

test("a matrix of any shape is turned into one with singular values near 1", () => {
  for (const [n, m] of [[3, 5], [5, 3], [4, 4], [1, 6]]) {
    const x = Float64Array.from({ length: n * m }, (_, i) => Math.sin(7 * i * i + n));
    orthogonalised(x, n, m, 8);
    const rows = n <= m ? Array.from({ length: n }, (_, i) => [...x.subarray(i * m, (i + 1) * m)]) : Array.from({ length: m }, (_, j) => Array.from({ length: n }, (__, i) => x[i * m + j]));
    const { sizes } = svd(rows);
    equal([n, m, [...sizes].every((size) => size > 0.3 && size < 1.3)], [n, m, true]);
  }
});

test("metrics, collapse points and forces are those of the server", () => each((name, trainer, known) => {
  const { metrics, collapse_points: points, forces } = trainer.snapshot(true);
  equal(Object.keys(metrics).sort(), Object.keys(known.metrics).sort());
  for (const [metric, value] of Object.entries(known.metrics)) {
    if (value === null) equal([name, metric, metrics[metric]], [name, metric, NaN]);
    else agree(`${name}, ${metric}`, [metrics[metric]], [value], 1e-5);
  }
  equal([points === null, forces === null], [known.points === null, known.forces === null]);
  if (points) agree(`${name}, points`, points, known.points, 1e-5);
  if (forces) agree(`${name}, forces`, forces, known.forces, 1e-5);
}));

test("a frame says what the server's would, through the same bytes", () => each((name, trainer, known) => {
  const snapshot = trainer.snapshot(true);
  const part = picture(snapshot, new Camera(trainer.d).look(known.view, snapshot.latents), true);
  const regions = regionsOf(known.inputs, trainer);
  if (regions) part.tensors.regions = regions;
  const [{ info, tensors }] = partsOf(decode(encodeGroup("frame", {}, [part])));
  equal([name, ...Object.keys(tensors).sort()], [name, ...Object.keys(known.arrays).sort()]);
  for (const [array, [shape, values]] of Object.entries(known.arrays)) {
    equal([name, array, tensors[array].shape], [name, array, shape]);
    const whole = { xy: 1, hist: 1, hist_class: 1, bins: 1, predictions: 0, regions: 0 }[array]; // a rounding may fall to either side
    if (whole === undefined) agree(`${name}, ${array}`, tensors[array].data, values, 1e-4);
    else close(Array.from(tensors[array].data), values, whole);
  }
  for (const key of ["gamma_mode", "projection", "nodes", "dims", "large", "hist_range", "step", "notice"]) equal([name, key, info[key]], [name, key, known.own[key]]);
  for (const key of ["scale", "norm_mean", "gamma_sum", "gamma_target"]) agree(`${name}, ${key}`, [info[key]], [known.own[key]], 1e-5);
  equal([name, sentence(snapshot, null)], [name, known.sentence]);
}));

test("of every scene the same is told as on the server", async () => {
  const nothing = new Float64Array(8);
  for (const { step, gamma, metrics, before, learnt, sentence: told } of await json("scenes.json")) {
    const known = Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, value ?? NaN]));
    const scene = { step, gamma, metrics: known, reason: "", K: 4, d: 2, collapse_points: nothing, weight: nothing, bias: new Float64Array(4) };
    equal(sentence(scene, before === null ? null : { metrics: { train_accuracy: before } }, learnt), told);
  }
});

test("products of any shape are sums of products, whichever is transposed", () => {
  for (const [rows, cols, depth] of [[1, 1, 1], [2, 4, 3], [3, 5, 2], [5, 7, 4], [4, 2, 6], [1, 9, 1], [0, 3, 2], [3, 3, 0]]) {
    const [a, b] = [rows * depth, depth * cols].map((size) => Float64Array.from({ length: size }, (_, i) => Math.sin(3 * i + size)));
    const slow = Array.from({ length: rows * cols }, (_, at) => Array.from({ length: depth }, (__, k) => a[Math.floor(at / cols) * depth + k] * b[k * cols + (at % cols)]).reduce((sum, one) => sum + one, 0));
    const turned = (matrix, n, m) => Float64Array.from({ length: n * m }, (_, at) => matrix[(at % n) * m + Math.floor(at / n)]);
    const out = new Float64Array(rows * cols);
    multiply(out, a, b, rows, cols, depth, depth, 1, cols, 1);
    close(Array.from(out), slow, 1e-14);
    multiply(out, turned(a, rows, depth), turned(b, depth, cols), rows, cols, depth, 1, rows, 1, depth);
    close(Array.from(out), slow, 1e-14);
  }
});

test("singular values come out over many powers of ten, also of dependent vectors", () => {
  const [u, v] = [[1, 1, 0], [1, -1, 0]].map((axis) => axis.map((x) => x / Math.hypot(...axis)));
  const mixed = [u.map((x, i) => 3 * x + 4e-9 * v[i]), u.map((x, i) => 4 * x - 3e-9 * v[i]), [0, 0, 0]];
  const { sizes } = svd(mixed);
  const [largest, second, least] = [...sizes].sort((a, b) => b - a);
  close(largest, 5, 1e-12);
  close(second / 5e-9, 1, 1e-6);
  equal(least, 0);
});

test("batches are whole, use every sample once an epoch, and go back to where they were", () => {
  const batches = new Batches(10, 4, 3);
  const kept = batches.state();
  const drawn = Array.from({ length: 30 }, () => batches.next());
  for (const at of [0, 10, 20]) equal(drawn.slice(at, at + 10).sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  batches.restore(kept);
  equal(Array.from({ length: 30 }, () => batches.next()), drawn);
});

/** A run with a clock that is set by hand, and all it has posted. */
async function session(name, change = {}) {
  const given = await pack(name);
  Object.assign(given.info.runs[0].config, change);
  const posted = [];
  const time = { now: 0 };
  const run = new Run(given, (buffer) => posted.push(decode(buffer)), () => time.now);
  const say = (type, more = {}) => run.hear({ type, ...more });
  say("hello");
  const turns = (count) => {
    for (let i = 0; i < count; i++, time.now += 0.05) {
      run.turn(1);
      say("ack", { frame: run.frame });
    }
    return posted.at(-1).info;
  };
  return { run, posted, say, turns };
}

test("a session answers play, pause, step, γ, reset and a finished run as the server's does", async () => {
  const { run, posted, say, turns } = await session("adamw-silu");
  equal([posted[0].kind, posted[0].info.run, posted[0].info.panels.length, posted[0].info.panels[0].history.step], ["setup", 1, 1, [0]]);
  equal(turns(10).state, "running");
  say("pause");
  const { step } = turns(5);
  say("step", { count: 3 });
  equal([turns(5).step, run.state], [step + 3, "paused"]);
  say("gamma", { value: 2, seq: 7 });
  const held = turns(2);
  equal([held.gamma_seq, held.gamma_mode, held.gamma_target, held.step], [7, "hand", 2, step + 3]);
  const [member] = run.trainer.members;
  const { collapse_points: points } = member.predict(run.panels[0].last.means, 2, false); // of the γ that no step has reached yet
  const [{ predicted_radius: predicted }] = held.panels;
  close(predicted, [...member.probe.labels].reduce((sum, y) => sum + Math.hypot(points[2 * y], points[2 * y + 1]), 0) / 330, 1e-8);
  say("play");
  say("speed", { steps_per_second: 0 });
  equal(turns(40).state, "finished");
  say("speed", { steps_per_second: 10 });
  say("play");
  equal([turns(1).state, run.trainer.limit], ["running", 2 * 260]);
  say("reset");
  equal([posted.at(-1).kind, posted.at(-1).info.run, run.trainer.step, turns(1).gamma_mode], ["setup", 2, 0, "auto"]);
  say("something"); // unknown words are ignored
});

test("a page that does not acknowledge gets no more than two frames", async () => {
  const { run, posted } = await session("adamw-silu");
  const before = posted.length;
  run.clock = () => posted.length + run.trainer.step; // time passes
  for (let i = 0; i < 20; i++) run.turn(0.001);
  equal(posted.length - before, 2);
});

test("a run that diverges goes back to its last good state and says so", async () => {
  const { run, posted, turns, say } = await session("sgd-relu", { lr: 1e9, lr_schedule: "constant" });
  say("speed", { steps_per_second: 0 });
  const { state, reason, step } = turns(20);
  equal(posted.filter(({ info: { state: group, panels } }) => group === "running" && panels[0].state === "diverged"), []);
  equal([state, step, run.trainer.members[0].network.values.every(Number.isFinite)], ["diverged", 0, true]);
  if (!/^The run diverged before step \d+ \(lr 1000000000, γ .*last good state, step 0\. Try a smaller learning rate\.$/.test(reason)) throw new Error(reason);
});

test("pictures are sent once asked for, and samples that are none are said to be none", async () => {
  const digits = await session("adam-gelu");
  digits.say("thumbs");
  const { kind, tensors } = digits.posted.at(-1);
  equal([kind, tensors.pixels.shape], ["thumbs", [470, 8, 8, 1]]);
  const others = await session("adamw-silu");
  others.say("thumbs");
  equal([others.posted.at(-1).kind, others.posted.at(-1).info.level], ["notice", "info"]);
});

test("a session of two runs posts both, and the leader's γ", async () => {
  const { posted, say, turns } = await session("pair");
  const { info: setup } = posted[0];
  equal([setup.titles, setup.follows, setup.panels.map(({ gamma_end }) => gamma_end)], [["γ = 0", "γ grows"], [false, true], [0, 5]]);
  const frame = turns(10);
  equal([frame.panels.length, frame.panels[0].gamma, frame.gamma === frame.panels[1].gamma, frame.gamma > 0], [2, 0, true, true]);
  say("gamma", { value: 3, seq: 1 });
  equal(turns(3).panels.map(({ gamma_target }) => gamma_target), [0, 3]);
  equal(partsOf(posted.at(-1)).map(({ tensors }) => "xy" in tensors), [true, true]);
});
