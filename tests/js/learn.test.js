import { Coach } from "../../app/static/learn/coach.js";
import { judge, met, Seen } from "../../app/static/learn/check.js";
import { equal, json, test } from "./kit.js";

test("a check is judged as Python judges it", async () => {
  const { histories, known } = await json("checks.json");
  const runs = histories.map((rows) => {
    const seen = new Seen();
    rows.forEach((row) => seen.add(row));
    return seen;
  });
  equal(known.map(([condition]) => judge(condition, runs).holds), known.map(([, holds]) => holds));
});

test("a history that a setup brings counts like moments that came one by one", () => {
  const seen = new Seen({ step: [0, 60, 120], norm_mean: [1, 5, 3], ce: [null, 2, null] });
  equal([seen.now.norm_mean, seen.largest.norm_mean, seen.smallest.norm_mean, seen.largest.ce], [3, 5, 1, 2]);
  const rising = [{ value: { name: "norm_mean", run: 0, when: "now" }, sign: ">", bound: 2, of: { name: "norm_mean", run: 0, when: "smallest" } }];
  equal([met(rising, [seen]), met(rising, []), met([...rising, { ...rising[0], bound: 4 }], [seen])], [true, false, false]);
});

const CHECK = [{ value: { name: "gamma", run: 0, when: "now" }, sign: ">", bound: 1, of: null }];
const STEP = { goal: "γ above 1", check: CHECK, gamma: 2, shows: [], next: "Next step", question: { words: "What?", options: ["this", "that"], right: 1, answer: "Because." } };
const catalogue = { metric: (name) => ({ short: name, axis: "log" }) };

function coached(step = STEP, done = false) {
  const told = [];
  const coach = new Coach({ gamma: (value) => told.push(value), ticked: () => told.push("ticked"), next: () => told.push("next") });
  coach.open(step, done);
  return { coach, told, see: (gamma) => coach.see([Object.assign(new Seen(), { now: { gamma } })], catalogue) };
}

test("the check ticks once, and stays ticked when its moment is over", () => {
  const { coach, told, see } = coached();
  see(0.5);
  equal([coach.done, coach.next.hidden, told], [false, true, []]);
  see(1.5);
  see(0.5);
  see(1.5);
  equal([coach.done, coach.next.hidden, told], [true, false, ["ticked"]]);
});

test("the answer waits for a prediction and for the check", () => {
  const { coach, see } = coached();
  coach.options.children[0].click();
  equal(coach.answer.hidden, true);
  coach.options.children[1].click();
  see(1.5);
  equal([coach.answer.hidden, coach.answer.textContent], [false, "You predicted it. Because."]);
  coach.options.children[0].click();
  equal(coach.picked, 1);
  const late = coached();
  late.see(1.5);
  equal(late.coach.answer.textContent.includes("Because"), false);
  late.coach.options.children[0].click();
  equal(late.coach.answer.textContent, "You predicted “this”. Because.");
});

test("another step begins afresh, one that was done stays done, and hostile words stay words", () => {
  const { coach, told } = coached({ ...STEP, goal: "<img src=x onerror=alert(1)>" }, true);
  equal([coach.done, coach.element.querySelector("img")], [true, null]);
  coach.open({ ...STEP, question: null, gamma: null }, false);
  equal([coach.done, coach.predict.hidden, coach.doIt.hidden, coach.answer.hidden], [false, true, true, true]);
  coach.open(STEP, false);
  coach.doIt.click();
  equal(told, [2]);
});
