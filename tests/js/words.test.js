import { FilmCurves } from "../../app/static/film/curves.js";
import { sentenceOf } from "../../app/static/film/words.js";
import { HATCHINGS, hatchOf } from "../../app/static/charts/hatch.js";
import { Touch } from "../../app/static/latents/touch.js";
import { described } from "../../app/static/latents/words.js";
import { Moment } from "../../app/static/live/moment.js";
import { FilmData } from "../../app/static/film/data.js";
import { History } from "../../app/static/panels/history.js";
import { bytes, equal, json, test } from "./kit.js";

const frame = (number, step, state, measured = true) => ({
  info: { frame: number, step, state, panels: [{ metrics: measured ? { train_accuracy: step / 1_000 } : {} }] },
});

const steps = (moment, drawn, now) => moment.next(drawn, now)?.info.step ?? null;

test("while a run goes on, all its numbers are of one measured frame and change twice a second", () => {
  const moment = new Moment();
  const said = [];
  for (let i = 0; i <= 24; i++) {
    const one = frame(i, 10 * i, "running", i % 2 === 0); // every other frame is measured; 12 a second
    moment.receive(one);
    said.push(steps(moment, one, 80 * i));
  }
  equal(said.map((step, i) => (step === null ? null : i)).filter((i) => i !== null), [0, 7, 14, 21]);
  equal(said.filter((step) => step !== null).every((step) => (step / 10) % 2 === 0), true);
  equal(moment.wait(24 * 80), 500 - 3 * 80);
});

test("at rest everything is of the very moment drawn, at once", () => {
  const moment = new Moment();
  const running = frame(1, 100, "running");
  moment.receive(running);
  equal(steps(moment, running, 0), 100);
  const paused = frame(2, 107, "paused");
  moment.receive(paused);
  equal(steps(moment, running, 10), null); // still drawn
  equal(steps(moment, paused, 11), 107);
  equal([steps(moment, paused, 12), moment.wait(12)], [null, null]);
  const turned = frame(3, 107, "paused", false); // another view of the same moment says nothing new
  moment.receive(turned);
  equal(steps(moment, turned, 13), null);
  const again = frame(4, 107, "paused"); // gamma was moved: what is foretold is new
  moment.receive(again);
  equal(steps(moment, again, 14), 107);
});

test("a moment at rest that was not measured has no numbers of another one", () => {
  const moment = new Moment();
  const running = frame(1, 100, "running");
  moment.receive(running);
  moment.next(running, 0);
  const broken = frame(2, 105, "diverged", false);
  equal(moment.next(broken, 5).info.panels[0].metrics, {});
});

test("a frame that is about to be drawn is waited for, and another run starts anew", () => {
  const moment = new Moment();
  const [old, next] = [frame(1, 100, "paused"), frame(2, 101, "paused")];
  moment.receive(old);
  moment.next(old, 0);
  moment.receive(next);
  equal(steps(moment, old, 1), null);
  moment.clear();
  equal([steps(moment, null, 2), moment.wait(2)], [null, null]);
});

test("a run at rest that is measured again has one point in its curves", () => {
  const history = new History();
  for (const [step, radius] of [[1, 3], [2, 2], [2, 1]]) history.append({ step, gamma: 1, radius });
  equal([history.columns.step, history.columns.radius, history.latest.radius], [[1, 2], [3, 1], 1]);
});

test("the picture's name says how many points, of which classes, how far out and how tight", () => {
  const setup = { info: { title: "Moons", class_names: ["up", "down"] }, labels: [0, 0, 1] };
  equal(described({ step: 1_200, norm_mean: 0.25, metrics: { within_class_spread: 0.021 } }, setup),
    "Moons: 3 latent points (up 2, down 1) at step 1,200; radius 0.250, spread within a class 2.1 % of it.");
  equal(described({ step: 0, norm_mean: 4 }, { info: { class_names: Array(20).fill("c") }, labels: [1] }), "1 latent points (20 classes) at step 0; radius 4.00.");
});

test("no two entries of the curve menu are called the same", async () => {
  const film = new FilmData(await bytes("film"), await json("catalogue.json"));
  const menu = film.catalogue.chartMenu(["step", "gamma", ...film.info.metrics]).map(([, title]) => title);
  equal(menu.length, new Set(menu).size);
});

test("a film's sentence is of the phase that its file gives", async () => {
  const film = new FilmData(await bytes("film"), await json("catalogue.json"));
  film.phase = () => "total";
  const row = { train_accuracy: 0.25, within_class_spread: 0.9, norm_mean: 0.001, predicted_radius: NaN };
  const said = (phase, marks = { onset: null, total: film.gammas[2] }) => {
    film.phase = () => phase;
    return sentenceOf(film, 2, 3, row, marks);
  };
  equal(said("total").search(/total collapse.*within one another.*25\.0 %/) >= 0, true);
  equal(said("guessing").search(/lie apart, but the classifier only guesses/) >= 0, true);
  equal(said("collapsed").search(/have collapsed: each is 90\.0 %/) >= 0, true);
  equal(said("clouds").search(/still clouds.*25\.0 % of the training samples are right/) >= 0, true);
  equal(said("total", { onset: null, total: null }).search(/nothing is learned yet/) >= 0, true);
});

test("every class of twelve has bars that differ without their colour", () => {
  const ctx = document.createElement("canvas").getContext("2d");
  const looks = Array.from({ length: HATCHINGS }, (_, c) => {
    ctx.fillStyle = "#888";
    ctx.fillRect(0, 0, 48, 48);
    ctx.fillStyle = hatchOf(ctx, c, "#fff") ?? "#888";
    ctx.fillRect(0, 0, 48, 48);
    return ctx.getImageData(0, 0, 48, 48).data.join();
  });
  equal([HATCHINGS, new Set(looks).size], [12, 12]);
});

test("two fingers move and zoom the view, one is left to the page", () => {
  const surface = document.createElement("div");
  document.body.append(surface);
  const heard = [];
  const below = [];
  const plotly = surface.appendChild(document.createElement("i"));
  plotly.addEventListener("touchstart", () => below.push(1));
  const touch = new Touch(surface, (dx, dy, factor) => heard.push([dx, dy, factor]));
  const send = (kind, ...points) => {
    const touches = points.map(([x, y], identifier) => new window.Touch({ identifier, target: plotly, clientX: x, clientY: y }));
    const event = new TouchEvent(kind, { touches, bubbles: true, cancelable: true });
    plotly.dispatchEvent(event);
    return event.defaultPrevented;
  };
  equal([send("touchstart", [0, 0]), send("touchmove", [0, 50])], [false, false]);
  send("touchstart", [0, 0], [100, 0]);
  equal([send("touchmove", [0, 10], [200, 10]), heard, below], [true, [[50, 10, 2]], []]);
  equal(touch.before.size, 200);
});

test("a film's linear axes are as long as its values of all moments", async () => {
  const film = new FilmData(await bytes("film"));
  const curves = Object.assign(Object.create(FilmCurves.prototype), { film, catalogue: film.catalogue, picks: ["abs_cv", "never_heard_of"] });
  const [{ x, y, yaxis }, unknown] = curves.traces();
  const values = Array.from(film.metric("abs_cv")).sort((a, b) => a - b);
  equal([y, x.length, yaxis, film.catalogue.chart("abs_cv").axis, unknown.yaxis], [[values[0], values.at(-1)], 2, "y", "linear", "y2"]);
});
