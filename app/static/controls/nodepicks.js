// Which nodes the axes show: one menu per axis; a node that another axis shows is swapped with it.

import { select } from "../kit/dom.js";
import { nodeName } from "../kit/format.js";
import { tr } from "../kit/words.js";

/** `nodes` with `node` in place `slot`. */
export const swapped = (nodes, slot, node) => nodes.map((one, i) => (i === slot ? node : one === node ? nodes[slot] : one));

export const slotName = (slot) => tr("Node on axis {slot}", { slot: slot + 1 });

/** The menu of axis `slot` among d nodes. */
export function nodeMenu(slot, d, node, testid, onPick) {
  return select(slotName(slot), Array.from({ length: d }, (_, i) => [i, nodeName(i)]), node, (value) => onPick(Number(value)), { "data-testid": testid });
}
