// The script of the page that trains without a server: the lab's own stage, on a worker instead of a connection.

import { bytesIn, embedded, scriptIn } from "../kit/embedded.js";
import { Stage } from "../live/stage.js";
import { WorkerLine } from "./line.js";

const stage = new Stage(document.getElementById("stage"), { dial: () => new WorkerLine(scriptIn("worker"), bytesIn("run")), ...embedded(() => stage) });
