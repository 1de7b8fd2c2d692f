import { ChartClock } from "../../app/static/charts/chartclock.js";
import { Catalogue } from "../../app/static/charts/catalogue.js";
import { explanation, learn } from "../../app/static/kit/explain.js";
import { Popover } from "../../app/static/kit/popover.js";
import { Tour } from "../../app/static/live/tour.js";
import { formatCount, formatDecade, formatGamma, formatNumber, formatPercent, formatTick, nodeName, power } from "../../app/static/kit/format.js";
import { decode } from "../../app/static/kit/frames.js";
import { BINS, drawStack } from "../../app/static/charts/histogram.js";
import { colourOf, coloured, layoutOf } from "../../app/static/charts/ink.js";
import { logTicks } from "../../app/static/charts/logticks.js";
import { swapped } from "../../app/static/controls/nodepicks.js";
import { SHAPES, classColours, outlineOf, shapeOf } from "../../app/static/kit/palette.js";
import { StopSlider } from "../../app/static/controls/stopslider.js";
import { readTheme, rgb } from "../../app/static/kit/theme.js";
import { bytes, close, equal, json, test, throws } from "./kit.js";

test("numbers have three digits that count, and powers where they are far from one", () => {
  equal([32.123, 0.0012, 1e-4, 12_400, 0, -0.5, 999.6, 1.2e5].map((value) => formatNumber(value)), ["32.1", "0.00120", "1.0e-4", "12,400", "0", "-0.500", "1000", "1.2e5"]);
  equal([null, undefined, NaN, Infinity].map((value) => formatNumber(value)), ["–", "–", "–", "–"]);
  equal([formatNumber(12.34, 2), formatGamma(0.5), formatCount(1_234.6), formatCount(NaN)], ["12", "0.500", "1,235", "–"]);
});

test("ticks, decades and nodes are written short", () => {
  equal([0.2, 20, 5e-4, 1e21].map(formatTick), ["0.2", "20", "0.0005", "1e21"]);
  equal([-12, -1, 0, 1, 2, 10].map(formatDecade), ["10⁻¹²", "10⁻¹", "1", "10", "10²", "10¹⁰"]);
  equal([0, 9, 122].map(nodeName), ["z₁", "z₁₀", "z₁₂₃"]);
});

test("a share is a percentage, finer where it is nearly all, and less than 100 % where it is not all", () => {
  equal([0, 0.5, 0.99949, 0.9995, 0.99961, 0.99998, 1, null, NaN].map(formatPercent), ["0.0 %", "50.0 %", "99.9 %", "99.95 %", "99.96 %", "99.99 %", "100.0 %", "–", "–"]);
});

test("numbers of any size are written as a reader writes them, also those that rounding lifts into another decade", () => {
  equal([1.2e-7, 0.031, 12_000, 7.3e7, 0, -0.5, -2e-9, NaN, 9.97, 99.7, -999.7].map((value) => power(value)), ["1.2×10⁻⁷", "0.031", "12,000", "7.3×10⁷", "0", "−0.50", "−2.0×10⁻⁹", "–", "10", "100", "−1,000"]);
});

test("a frame of Python's encoder is read as Python reads it", async () => {
  const { kind, info, tensors } = decode(await bytes("thumbs"));
  const known = await json("thumbs.json");
  equal({ kind, info, shape: tensors.pixels.shape, pixels: tensors.pixels.data }, known);
});

test("every type of number is read, whatever the header's length", async () => {
  const { kind, tensors } = decode(await bytes("every_dtype"));
  const known = await json("every_dtype.json");
  equal(kind, "all");
  equal(Object.keys(tensors).sort(), Object.keys(known).sort());
  for (const [name, { data, shape }] of Object.entries(tensors)) equal([shape, Array.from(data, Number)], [[1, 2], known[name].map(Number)]);
});

test("damaged frames and types that are not known are refused", async () => {
  const whole = await bytes("thumbs");
  for (const size of [0, 4, 8, 40]) throws(() => decode(whole.slice(0, size)), /./);
  const bent = whole.slice(0);
  new Uint8Array(bent)[8] = 0x21; // no brace
  throws(() => decode(bent), /JSON/);
  const half = await bytes("half");
  throws(() => decode(half), /tensor h: expected a dtype of F32,.*got F16/);
});

test("stacked bars keep their order, and the tallest bin fills the box", () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: BINS, height: 60 });
  const ctx = canvas.getContext("2d");
  const counts = new Uint8Array(2 * BINS);
  [counts[3], counts[BINS + 3], counts[BINS + 4]] = [1, 3, 2];
  drawStack(ctx, { x: 0, y: 10, w: BINS, h: 40 }, counts, ["#f00", "#00f"]);
  const painted = (x, y) => { const [r, , blue, a] = ctx.getImageData(x, y, 1, 1).data; return a < 255 ? "" : r > blue ? "a" : "b"; };
  const column = (x) => [5, 12, 28, 32, 38, 42, 48, 55].map((y) => painted(x, y));
  equal([column(3), column(4), column(6)],
    [["", "b", "b", "b", "b", "a", "a", ""], ["", "", "", "b", "b", "b", "b", ""], Array(8).fill("")]);
});

test("logarithmic ticks are decades over many, and 1, 2, 5 within few", () => {
  equal(logTicks(0, 4), { tickvals: [1, 100, 10_000], ticktext: ["1", "10²", "10⁴"] });
  equal(logTicks(0, 1), { tickvals: [1, 2, 5, 10], ticktext: ["1", "2", "5", "10"] });
  for (let from = -6; from < 6; from += 0.37) {
    const { tickvals } = logTicks(from, from + 3.3, 4.5);
    if (!tickvals.every((value) => Math.log10(value) >= from - 1e-8 && Math.log10(value) <= from + 3.3 + 1e-8)) throw new Error(`outside: ${tickvals}`);
  }
});

test("colours and shapes of classes differ, for any number of them", () => {
  for (const count of [2, 12, 100]) for (const dark of [false, true]) equal(new Set(classColours(count, dark).map((one) => String(rgb(one)))).size, count);
  equal([shapeOf(0), shapeOf(12), shapeOf(13)], ["circle", "circle", "square"]);
  equal(new Set(SHAPES.map((shape) => String(outlineOf(shape)))).size, SHAPES.length);
  for (const shape of SHAPES) if (!outlineOf(shape).every((value) => Math.abs(value) < 1.5)) throw new Error(`${shape} is too large`);
});

test("a colour is read as red, green and blue, and what is none is null", () => {
  equal(["#0072b2", "rgb(1, 20, 3)", "white", "nonsense"].map(rgb), [[0, 114, 178], [1, 20, 3], [255, 255, 255], null]);
});

test("the theme is the page's where the page has one", () => {
  const host = document.createElement("div");
  host.style.cssText = "--st-background-color: #101010; --st-text-color: #eeeeee";
  document.body.append(host);
  const theme = readTheme(host, false);
  equal([theme.dark, theme.background, theme.text, theme.primary], [true, "#101010", "#eeeeee", "#ff4b4b"]);
  equal([readTheme(document.body, true).dark, readTheme(document.body, false).dark], [true, false]);
});

test("inks become the theme's colours, anywhere in a figure", () => {
  const theme = { ...readTheme(document.body, false), key: "" };
  equal(colourOf("var(--class-3-of-10)", theme), classColours(10, false)[3]);
  equal(colourOf("var(--out-a20)", theme), `rgba(${rgb(theme.force.out).join(",")},0.2)`);
  throws(() => colourOf("var(--nowhere)", theme), /expected a colour/);
  equal(coloured({ line: { color: "var(--muted)" }, x: [1, 2], names: ["var(--text)", "plain"], none: null }, theme), { line: { color: theme.muted }, x: [1, 2], names: [theme.text, "plain"], none: null });
  const layout = layoutOf({ xaxis: { type: "log" }, margin: { l: 9 } }, theme, 300, 200, { xaxis: { tickvals: [1] } });
  equal([layout.xaxis.type, layout.xaxis.gridcolor, layout.xaxis.tickvals, layout.margin], ["log", theme.grid, [1], { l: 9, r: 16, t: 8, b: 40 }]);
});

async function sent() {
  const words = await json("catalogue.json");
  return { words, catalogue: new Catalogue(words) };
}

test("a chart has the words that were sent, and a metric nobody explains its name", async () => {
  const { words, catalogue } = await sent();
  equal(new Catalogue().metric("some_new_one"), { short: "some new one", axis: "log", title: "some new one" });
  equal(catalogue.chart("accuracies").lines.map(({ label }) => label), ["train", "test"]);
  equal(catalogue.chart("radius").lines.map(({ name, dash }) => [name, dash]), [["norm_mean", "solid"], ["predicted_radius", "dash"]]);
  equal(catalogue.chart("nc1").about, words.charts.nc1.about);
  const { title, meaning, formula } = words.metrics.abs_cv;
  equal(catalogue.chart("abs_cv"), { title, about: `${meaning} It is ${formula}.`, axis: "linear", theory: false, lines: [{ name: "abs_cv", label: title, dash: "solid" }] });
  for (const name of ["constructor", "__proto__"]) equal(catalogue.chart(name).lines.map((line) => line.name), [name]);
});

test("the menus have every metric of a history, in the catalogue's order", async () => {
  const { words, catalogue } = await sent();
  const columns = ["step", "a_new_one", "gamma", "nc1_pinv", "weight_norm", "ce"];
  equal(catalogue.chartMenu(columns).map(([key]) => key), [...Object.keys(words.charts), "weight_norm", "a_new_one"]);
  equal(catalogue.names(columns), ["ce", "gamma", "weight_norm", "nc1_pinv", "a_new_one"]);
});

test("an explanation says why nothing is predicted where nothing is", async () => {
  const { words, catalogue } = await sent();
  equal(explanation("curve-nc1", { catalogue })[0], words.charts.nc1.title);
  const none = { catalogue, theory: false, theory_note: "It is nonlinear." };
  equal(explanation("curve-radius", none)[1], `${words.charts.radius.about} In this run no prediction is drawn: It is nonlinear.`);
  equal(explanation("curve-radius_error", none)[1].endsWith("no prediction is drawn: It is nonlinear."), true);
  equal(explanation("curve-never_heard_of", { catalogue })[0], "never heard of");
});

test("a node that another axis shows is swapped with it", () => {
  equal([swapped([0, 1, 2], 0, 2), swapped([0, 1], 1, 5)], [[2, 1, 0], [0, 5]]);
});

function slider() {
  const moves = [];
  const made = new StopSlider({ label: "s", testid: "s", onMove: (index) => (moves.push(index), made.show(index)), describe: (index) => `stop ${index}` });
  made.setStops([0, 0.1, 0.5, 1], [{ share: 0, text: "low" }, { share: 1, text: "high", minor: true }]);
  made.show(1);
  document.body.append(made.element);
  return { made, moves, element: made.element };
}

test("a slider's keys move by stops and stay between its ends", () => {
  const { moves, element } = slider();
  const press = (key, more = {}) => element.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true, bubbles: true, ...more }));
  let heard = 0; // around it, as by a film that plays until a hand takes it
  document.body.addEventListener("keydown", () => (heard += 1));
  for (const key of ["ArrowRight", "ArrowLeft", "End", "ArrowUp", "Home", "ArrowDown", "a", "toString"]) press(key);
  press("ArrowRight", { ctrlKey: true });
  press("ArrowRight", { shiftKey: true });
  equal([moves, heard], [[2, 1, 3, 0], 10]);
  equal(["aria-valuenow", "aria-valuetext", "aria-valuemax"].map((name) => element.getAttribute(name)), ["0", "stop 0", "3"]);
});

test("a drag takes a slider to the nearest stop", () => {
  const { made, moves, element } = slider();
  element.setPointerCapture = () => {}; // of a pointer that is not there
  made.rail.rail.style.cssText = "position: fixed; left: 100px; width: 200px; height: 10px";
  const pointer = (type, x, button = 0) => element.dispatchEvent(new PointerEvent(type, { clientX: x, button }));
  pointer("pointermove", 290);
  pointer("pointerdown", 290, 2);
  pointer("pointerdown", 140);
  pointer("pointermove", 190);
  pointer("pointermove", 900);
  pointer("pointerup", 900);
  pointer("pointermove", 100);
  equal(moves, [2, 3]);
  close(Number.parseFloat(made.rail.thumb.style.left), 100);
});

test("an i says what it is, what to look for, the terms and the lesson, and what depends on the run", () => {
  learn({ gamma: { title: "γ", text: "A weight.", look: "Watch.", terms: [["γ", "Gamma."]], lesson: { name: "shell", title: "Shell" } }, points: { title: "z*", text: "Crosses.", look: "", terms: [], lesson: null } });
  const [title, text, more] = explanation("gamma", { convention: "sum" });
  equal([title, text.startsWith("A weight. Here γ multiplies ‖z‖² summed"), more.look], ["γ", true, "Watch."]);
  equal(explanation("points", { theory: false, theory_note: "It is nonlinear." })[1], "Crosses. In this run no prediction is drawn: It is nonlinear.");
  equal(explanation("points", null)[1], "Crosses.");
  const popover = new Popover(document.body);
  popover.button("gamma").click();
  equal([...popover.element.querySelectorAll("dt, dd, a")].map((node) => node.textContent), ["γ", "Gamma.", "Lesson: Shell"]);
  equal(popover.owner.getAttribute("aria-describedby"), popover.element.id);
  popover.close();
});

test("a tour goes through what is there, frames it, and is offered no more when it is over", () => {
  document.body.innerHTML = '<div data-testid="one">1</div><div data-testid="two">2</div><div data-testid="gone" hidden>3</div>';
  localStorage.removeItem("lpc-tour");
  const begin = () => new Tour(document.body, [["one", "First."], ["gone", "Not here."], ["two", "Second."]]);
  const tour = begin();
  document.body.append(tour.offer);
  tour.offer.firstChild.click();
  const framed = () => document.querySelector(".lpc-toured")?.dataset.testid;
  equal([tour.text.textContent, framed(), tour.back.disabled, document.activeElement === tour.next], ["First.", "one", true, true]);
  tour.next.click();
  equal([tour.title.textContent, tour.text.textContent, framed()], ["2 of 2", "Second.", "two"]);
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  equal([framed(), tour.element.hidden, tour.offer.hidden, begin().offer.hidden], [undefined, true, true, true]);
  localStorage.removeItem("lpc-tour");
});

test("a tour whose page goes half-way hears no more keys, and is offered again", () => {
  document.body.innerHTML = '<div data-testid="one">1</div>';
  localStorage.removeItem("lpc-tour");
  const tour = new Tour(document.body, [["one", "First."]]);
  document.body.append(tour.offer);
  tour.leave(); // not begun
  tour.offer.firstChild.click();
  tour.leave();
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  equal([document.querySelector(".lpc-toured"), tour.offer.hidden, localStorage.getItem("lpc-tour")], [null, false, null]);
});

/** How often a chart is drawn in 100 ticks of its clock, when drawing takes so many milliseconds. */
function drawnIn100Ticks(took) {
  const real = [performance.now, globalThis.setTimeout, globalThis.requestAnimationFrame];
  let [now, drawn, tick] = [1_000, 0, null];
  performance.now = () => now;
  globalThis.setTimeout = (work) => (tick = work);
  globalThis.requestAnimationFrame = (draw) => draw();
  try {
    const chart = new ChartClock(() => {}).add("one", 190, () => ([now, drawn] = [now + took, drawn + 1]), document.body);
    for (let i = 0; i < 100; i++) {
      chart.touch();
      now += 45;
      tick();
    }
  } finally {
    [performance.now, globalThis.setTimeout, globalThis.requestAnimationFrame] = real;
  }
  return [drawn, now - 1_000];
}

test("a chart that takes long to draw takes a third of the time at most", () => {
  const [[often], [seldom, time]] = [1, 60].map(drawnIn100Ticks);
  equal([often >= 18, seldom >= 20, seldom * 60 <= time / 3 + 60], [true, true, true]);
});
