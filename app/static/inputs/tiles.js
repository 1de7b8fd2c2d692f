// The inputs as pictures: as many as fit, by class, or those that are chosen; the one pointed at is always among them.

import { putImage, thumbOf } from "../kit/canvas.js";
import { buffers } from "../latents/mapping.js";

const [SMALL, LARGE, WANTED] = [26, 52, 48]; // pixels of a picture's side; pictures that make a good sheet
const BAR = 4; // pixels below each picture for its class
const AWAY = -1e6; // where pictures are that do not fit

/** Which samples to show in `places`: the flagged ones if there are any, else as many of each class; grouped by class. */
export function sheetOf(labels, K, places, flags, pointed) {
  const byClass = Array.from({ length: K }, () => []);
  labels.forEach((label, i) => (!flags || flags[i]) && byClass[label]?.push(i));
  const picked = [];
  for (let turn = 0; picked.length < places && byClass.some((one) => one.length > turn); turn++) {
    for (const one of byClass) if (turn < one.length && picked.length < places) picked.push(one[turn]);
  }
  const sheet = picked.sort((a, b) => labels[a] - labels[b] || a - b);
  if (pointed < 0 || sheet.includes(pointed)) return sheet;
  const own = sheet.findLastIndex((i) => labels[i] === labels[pointed]);
  sheet[own < 0 ? Math.max(0, sheet.length - 1) : own] = pointed;
  return sheet;
}

export class Tiles {
  constructor({ info, labels }) {
    Object.assign(this, { labels, K: info.K, n: labels.length, thumbs: null, titles: [], at: { n: labels.length, ...buffers(labels.length) }, kept: new Map() });
    this.xy = new Float32Array(0); // pictures have no place
  }

  restyle(colours) {
    this.colours = colours;
  }

  setThumbs(tensor) {
    this.thumbs = tensor;
    this.kept.clear();
  }

  draw(ctx, w, h, { predictions, flags, pointed, theme }) {
    this.at.x.fill(AWAY);
    const side = Math.max(SMALL, Math.min(LARGE, Math.floor(Math.sqrt((w * h) / WANTED))));
    const [columns, rows] = [Math.floor(w / side), Math.floor(h / side)];
    this.reach = 0.7 * side;
    if (!this.thumbs) return;
    sheetOf(this.labels, this.K, columns * rows, flags, pointed).forEach((i, place) => {
      const [x, y] = [side * (place % columns) + (w - columns * side) / 2, side * Math.floor(place / columns)];
      [this.at.x[i], this.at.y[i]] = [x + side / 2, y + side / 2];
      this.tile(ctx, i, { x: x + 2, y: y + 2, size: side - 4 - BAR }, predictions, theme);
    });
  }

  /** A picture over a bar of its class's colour; where the network is wrong, half of the bar is of the class it says. */
  tile(ctx, i, { x, y, size }, predictions, theme) {
    const [label, guess] = [this.labels[i], predictions?.[i] ?? this.labels[i]];
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(this.picture(i), x, y, size, size);
    ctx.fillStyle = this.colours[label];
    ctx.fillRect(x, y + size + 1, size, BAR - 1);
    if (guess === label) return;
    ctx.fillStyle = this.colours[guess] ?? theme.text;
    ctx.fillRect(x + size / 2, y + size + 1, size / 2, BAR - 1);
    ctx.strokeStyle = theme.force.inward;
    ctx.lineWidth = 1.5;
    ctx.strokeRect(x, y, size, size);
  }

  picture(i) {
    if (!this.kept.has(i)) {
      const canvas = new OffscreenCanvas(1, 1);
      putImage(canvas, thumbOf(this.thumbs, i));
      this.kept.set(i, canvas);
    }
    return this.kept.get(i);
  }
}
