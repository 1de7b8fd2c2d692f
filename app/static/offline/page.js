// The script of the page that trains without a server: the lab's own stage, on a worker instead of a connection.

import { bytesIn, followScheme, textIn } from "../kit/embedded.js";
import { Stage } from "../live/stage.js";
import { WorkerLine } from "./line.js";

const dark = followScheme((now) => stage.update({ dark: now }));
const stage = new Stage(document.getElementById("stage"), { dial: () => new WorkerLine(textIn("worker"), bytesIn("run")), Plotly: window.Plotly, dark, styled: true });
