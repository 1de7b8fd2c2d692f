// The words of a link to a point cloud: its axes, camera, classes, chosen samples, layers, and γ of the predicted points.

import { layersWord, onlyWord, short, word } from "../kit/sharing.js";
import { numbersIn } from "./choice.js";

const LONGEST = 60; // of chosen rows; more make no link that one can read

/** cloud: a `Cloud` whose samples are there. */
export function cloudWords(cloud) {
  const { tools, camera, choice, gamma, file } = cloud;
  return {
    turn: [() => (camera.deep && turnOf(camera) !== "0.60,0.45" ? turnOf(camera) : ""), (text, { view }) => seeThen(cloud, view, () => {
      [camera.yaw, camera.pitch] = text.split(",").map(Number);
    })],
    zoom: [() => (camera.moved ? camera.sight.map(short).join() : ""), (text, { view }) => seeThen(cloud, view, () => camera.seeAgain(text.split(",").map(Number)))],
    view: word(() => viewText(tools.sight), () => viewText(tools.usual()), (text) => look(cloud, text)),
    only: onlyWord(() => cloud.legend),
    off: layersWord(tools.layers, () => (file.n ? ["head"] : [])),
    chosen: [() => (choice.named().length <= LONGEST ? choice.named() : ""), (text) => choose(choice, text)],
    hand: [() => (file.G && gamma.gamma !== gamma.first ? short(gamma.gamma) : ""), (text) => (file.G ? gamma.jump(Number(text)) : text)],
  };
}

/** The link's camera: now, or when the axes are drawn that it is of. */
function seeThen(cloud, view, change) {
  if (view === undefined) cloud.moved(change);
  else cloud.afterLook.push(change);
}

const viewText = ({ kind, nodes, dims }) => (kind === "nodes" ? `n${nodes.slice(0, dims).join("-")}` : `${kind}${dims}`);
const turnOf = ({ yaw, pitch }) => `${yaw.toFixed(2)},${pitch.toFixed(2)}`;

/** Axes that this file has not are left out. */
function look({ tools, file }, text) {
  const nodes = text.startsWith("n") ? text.slice(1).split("-").map(Number) : null;
  if (nodes && nodes.every((node) => node < file.d) && new Set(nodes).size === nodes.length) tools.change({ kind: "nodes", nodes: [...new Set([...nodes, ...tools.sight.nodes])].slice(0, 3), dims: nodes.length });
  else if (!nodes && tools.offers.includes(text.slice(0, -1))) tools.change({ kind: text.slice(0, -1), dims: Number(text.slice(-1)) });
}

function choose(choice, text) {
  if (text === "wrong" || text === "ambiguous") choice.choose(text);
  else choice.take(choice.flagsOf(numbersIn(text, choice.file.info.total)));
}
