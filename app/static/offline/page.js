// The script of the page that trains without a server: the lab's own stage, on a worker instead of a connection.

import { bytesIn, followScheme, scriptIn, textIn } from "../kit/embedded.js";
import { Stage } from "../live/stage.js";
import { WorkerLine } from "./line.js";

const dark = followScheme((now) => stage.update({ dark: now }));
const stage = new Stage(document.getElementById("stage"), { dial: () => new WorkerLine(scriptIn("worker"), bytesIn("run")), plotlyUrl: scriptIn("plotly"), abouts: JSON.parse(textIn("abouts")), dark, styled: true });
