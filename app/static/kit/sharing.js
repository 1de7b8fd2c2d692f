// What a link to this page says besides what it opens: each part of the page has words of its own, said and taken up again.

const parts = new Map(); // part → {word: [say() → text, "" for what is so by itself; take(text, asked) → what of it is for other parts]}
const opened = new Set(); // the moments that this document was asked for
const places = new WeakMap(); // part → the path of its page
const gone = new Map(); // part that its page took away → {word: text}, for who is built anew in its place
let asked = {}; // of the last one what nobody has taken up yet

/** The page has been opened by a link that says this: {word: text}. Once: coming back to the page is no link. */
export function ask(moment = {}) {
  const key = JSON.stringify(moment);
  if (opened.has(key)) return;
  opened.add(key);
  asked = { ...moment };
  for (const [part, words] of parts) if (!gone.has(part)) takeFrom(asked, words);
  for (const part of gone.keys()) { // the rest is theirs, or of those who come in their place
    if (!parts.has(part)) continue;
    takeFrom(asked, parts.get(part));
    mayGo(part);
  }
}

/** `part` is there, and can be put where the link wants it, or where the part stood that was here before it. */
export function join(part, words) {
  parts.set(part, words);
  if (!places.has(part)) places.set(part, location.pathname);
  takeFrom(asked, words);
  for (const [other, left] of gone) {
    if (places.get(other) !== places.get(part)) gone.delete(other);
    else if (other !== part) takeFrom(left, words);
  }
}

/** A slow page may take a `lasting` part away and build it anew: what it says now is kept for that one, until it `stays`, or there is another page. */
export function mayGo(part) {
  if (part.lasting) gone.set(part, Object.fromEntries(saying(parts.get(part) ?? {})));
}

export const stays = (part) => gone.delete(part);

/** It has gone; one of its kind that was built before it went stands in its place. */
export function leave(part) {
  const there = [...parts];
  const younger = there.slice(there.findIndex(([one]) => one === part) + 1);
  parts.delete(part);
  for (const [other, words] of gone.has(part) ? younger : []) {
    if (other.constructor === part.constructor && places.get(other) === places.get(part)) takeFrom(gone.get(part), words);
  }
}

/** Words of `texts` that are the part's are taken out. */
function takeFrom(texts, words) {
  const all = { ...texts };
  for (const [name, [, take]] of Object.entries(words)) {
    if (texts[name] === undefined) continue;
    const rest = take(texts[name], all);
    if (typeof rest === "string" && rest) texts[name] = rest;
    else delete texts[name];
  }
}

/** [[word, text]] of one part. */
const saying = (words) => Object.entries(words).map(([name, [say]]) => [name, say()]).filter(([, text]) => text);

/** [[word, text]] of all parts; of a word that several say, all texts. */
export function said() {
  const all = Map.groupBy([...parts.values()].flatMap(saying), ([name]) => name);
  return [...all].map(([name, texts]) => [name, texts.map(([, text]) => text).join()]);
}

/** For words that are numbers: four digits do. */
export const short = (number) => String(Number(number.toPrecision(4)));

// ---- words that several pages have -------------------------------------------------------------------------------------

/** A word that is `text` now and `usual()` by itself. */
export const word = (now, usual, take) => [() => (now() === usual() ? "" : now()), take];

/** What is drawn with the points: some `Layers`, of which `usual()` are off by themselves. */
export function layersWord(layers, usual) {
  const offOf = () => Object.entries(layers.on).filter(([, on]) => !on).map(([name]) => name).join() || "none";
  return word(offOf, () => usual().join() || "none", (text) => {
    for (const name of Object.keys(layers.on)) layers.set(name, !text.split(",").includes(name));
  });
}

/** The classes kept bright: a `Legend`. */
export const onlyWord = (legend) => [() => [...legend().focus].sort((a, b) => a - b).join(), (text) => legend().keep(text.split(",").map(Number))];

/** The view of some `Latents`: how it is turned, and whether the zoom follows. */
export function lookWords(latents) {
  return {
    turn: [() => (latents().spin.active ? `${latents().spin.yaw.toFixed(2)},${latents().spin.pitch.toFixed(2)}` : ""), (text) => {
      [latents().spin.yaw, latents().spin.pitch] = text.split(",").map(Number);
      latents().spin.changed();
    }],
    zoom: [() => (latents().camera.mode === "fixed" ? sightOf(latents()).map(short).join() : ""),
      (text) => (text.startsWith("f") ? latents().setZoom(text) : lookFrom(latents(), ...text.split(",").map(Number)))],
    only: onlyWord(() => latents().legendView),
  };
}

/** Where a fixed zoom looks: latent units to the nearer edge, and the middle. */
export function sightOf({ spin, camera, axes }) {
  if (spin.active) return [camera.half / spin.zoom, 0, 0];
  const { rect, cx, cy, scale } = axes.where();
  return [Math.min(rect.w, rect.h) / 2 / scale, cx, cy];
}

/** The view, and those `together` with it, look there and stay. */
function lookFrom(latents, half, cx, cy) {
  latents.setZoom("fixed");
  for (const one of latents.together ?? [latents]) {
    one.camera.half = half;
    one.axes.lookAt(half, cx, cy);
    one.redraw();
  }
}

/** Which curves are drawn, by name, and which nodes in large. */
export function panelWords(curves, nodes) {
  return {
    curves: word(() => curves.picks.join(), () => curves.usual().join(), (text) => text.split(",").forEach((key, slot) => curves.swap(slot, key))),
    bars: word(() => nodes.large.join("-"), () => nodes.usual().join("-"), (text) => nodes.show(text.split("-").map(Number))),
  };
}
