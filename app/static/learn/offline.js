// The script of a lesson that needs no server: its words, a step at a time, beside the stage with the coach, on a worker instead of a connection.

import { button, el } from "../kit/dom.js";
import { bytesIn, embedded, scriptIn, textIn } from "../kit/embedded.js";
import { tr } from "../kit/words.js";
import { lessonStage } from "./lesson.js";
import { WorkerLine } from "../offline/line.js";

const { steps, ...more } = JSON.parse(textIn("lesson")); // {steps, and what `Lesson.drawn` says}
const sections = [...document.querySelectorAll(".lpc-step")];
const done = new Set();
let index = 0;

const shown = () => ({ lesson: "", index, done: done.has(index), step: steps[index] });

function open(to) {
  index = to;
  stage.update(shown());
  show();
}

function show() {
  sections.forEach((section, i) => (section.hidden = i !== index));
  back.disabled = index === 0;
  onward.disabled = index + 1 === steps.length;
}

/** What the coach tells: a step's check has ticked, or the reader goes on. */
function tell({ what, index: from }) {
  if (what === "reached") done.add(from);
  else if (from === index && index + 1 < steps.length) open(index + 1);
}

const back = button(tr("Back"), "lpc-step-back", () => open(index - 1));
const onward = button(tr("Next step"), "lpc-step-next", () => open(index + 1));
document.getElementById("words").append(el("nav", { class: "lpc-step-buttons", "aria-label": tr("This step") }, back, onward));
show();

const stage = new (lessonStage(more))(document.getElementById("stage"), {
  dial: () => new WorkerLine(scriptIn("worker"), bytesIn("run")), ...embedded(() => stage), tell, ...more, ...shown(),
});
