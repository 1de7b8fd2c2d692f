import { numbersIn, spans } from "../../app/static/cloud/choice.js";
import { Share } from "../../app/static/kit/share.js";
import { ask, join, leave, mayGo, said, short, sightOf, stays, word } from "../../app/static/kit/sharing.js";
import { equal, test } from "./kit.js";

/** A part with one word, which is `usual` by itself. */
function part(name, usual, rest = () => {}) {
  const own = { now: usual, told: [] };
  own.words = { [name]: word(() => own.now, () => usual, (text) => {
    own.now = text;
    own.told.push(text);
    return rest(text);
  }) };
  return own;
}

test("a link says only what differs, and a part takes it up once, whichever comes first", () => {
  const [early, late] = [part("axes", "own"), part("curves", "radius")];
  join(early, early.words);
  equal(said(), []);
  ask({ axes: "shared", curves: "losses" });
  join(late, late.words);
  equal([early.told, late.told, said()], [["shared"], ["losses"], [["axes", "shared"], ["curves", "losses"]]]);
  join(late, late.words); // another run of the same page
  ask({ axes: "shared", curves: "losses" }); // the page is drawn anew
  equal([early.told, late.told], [["shared"], ["losses"]]);
  leave(early);
  leave(late);
  equal(said(), []);
});

test("what one part leaves of a word is another's, or waits", () => {
  const mine = (own) => (text) => text.split(",").filter((one) => !one.startsWith(own)).join();
  const [a, b] = [part("lines", "", mine("a")), part("lines", "", mine("b"))];
  ask({ lines: "a.1,b.2" });
  join(a, a.words);
  join(b, b.words);
  equal([a.told, b.told], [["a.1,b.2"], ["b.2"]]);
  [a.now, b.now] = ["a.1", "b.2"];
  equal(said(), [["lines", "a.1,b.2"]]);
  leave(a);
  leave(b);
});

test("a part built anew in another's place stands where that one stood, unless that one stays", () => {
  const [old, heir, third] = [part("sort", ""), part("sort", ""), part("sort", "")];
  ask({ sort: "-floor" });
  join(old, old.words);
  mayGo(old); // not a lasting one
  old.lasting = true;
  old.now = "-value"; // by hand, after the link
  mayGo(old);
  stays(old);
  mayGo(old);
  join(heir, heir.words);
  leave(old);
  equal([heir.told, said()], [["-value"], [["sort", "-value"]]]);
  heir.now = "";
  join(heir, heir.words); // another run: taken up once
  heir.lasting = true;
  mayGo(heir);
  stays(heir);
  join(third, third.words);
  equal([heir.told, heir.now, third.told], [["-value"], "", []]);
  for (const one of [heir, third]) leave(one);
});

test("a part that was built before another one of its kind went stands where that one stood", () => {
  const [first, old, heir] = [part("sort", ""), part("sort", ""), part("sort", "")];
  for (const one of [first, old, heir]) join(one, one.words);
  Object.assign(old, { lasting: true, now: "-value" });
  mayGo(old);
  leave(old);
  equal([first.told, heir.told], [[], ["-value"]]);
  for (const one of [first, heir]) leave(one);
});

test("a link that comes while a part may go is taken up by who stands in its place, before it or after it", () => {
  for (const first of [true, false]) {
    const [old, heir] = [part("sort", ""), part("sort", "")];
    old.lasting = true;
    join(old, old.words);
    mayGo(old);
    if (first) join(heir, heir.words);
    ask({ sort: "-value", first });
    if (!first) join(heir, heir.words);
    leave(old);
    equal(heir.told, ["-value"]);
    leave(heir);
    ask({ first: !first }); // which no part takes up
  }
});

test("what a part said does not follow to another page", () => {
  const [here, there] = [part("sort", ""), part("sort", "")];
  const home = location.href;
  join(here, here.words);
  Object.assign(here, { lasting: true, now: "value" });
  history.pushState(null, "", "/lab/elsewhere");
  mayGo(here); // the address is there before the page is
  join(there, there.words);
  history.replaceState(null, "", home);
  equal(there.told, []);
  for (const one of [here, there]) leave(one);
});

test("rows come back from their spans, and no more than there are", () => {
  for (const rows of [[3], [1, 2, 3, 7], [0, 2, 4], [5, 6, 9, 10, 11]]) equal([...numbersIn(spans(rows), 100)], rows);
  equal(spans([3, 4, 5, 6, 7, 12]), "3-7,12");
  equal([...numbersIn("90-9999999", 95)], [90, 91, 92, 93, 94, 95]);
});

test("numbers of a link have four digits", () => {
  equal([0.0001234567, 31.6227766, -1e-9, 100_000].map(short), ["0.0001235", "31.62", "-1e-9", "100000"]);
});

test("a fixed zoom is told by the nearer edge and the middle", () => {
  equal(sightOf({ spin: { active: false }, axes: { where: () => ({ rect: { w: 400, h: 200 }, cx: 1, cy: -2, scale: 50 }) } }), [2, 1, -2]);
  equal(sightOf({ spin: { active: true, zoom: 4 }, camera: { half: 8 } }), [2, 0, 0]);
});

test("a link's words go with their page, and so does what it hid", () => {
  const share = new Share(document.body, { run: "seed=3", base: "http://127.0.0.1:9/play", note: "", live: true, controls: { menu: "the menu", room: "rooms" }, hidden: ["menu"] });
  const hides = () => [...document.documentElement.classList].filter((name) => name.startsWith("lpc-without-"));
  share.button.click();
  equal([share.field.value, hides(), share.popover.owner === share.button], ["http://127.0.0.1:9/play?seed=3&hide=menu", ["lpc-without-menu"], true]);
  share.controls.querySelector("[data-testid=lpc-share-show-room]").click();
  equal([share.field.value, hides()], ["http://127.0.0.1:9/play?seed=3&hide=menu,room", ["lpc-without-menu", "lpc-without-room"]]);
  share.close();
  equal([hides(), share.popover.owner], [[], null]);
});
