// Who this page is in its room and what it said there: kept over a reload, and said again on a new line, since of what was said on a dead one nothing is known.

import { recall, remember } from "./line.js";

const KEPT = "lpc-room-member"; // {code, member, name: null until one is given, answers: {"lesson index": choice}}
const NAME = "name";
const keyOf = ({ lesson, index }) => `${lesson} ${index}`;

export class Mine {
  constructor(code) {
    const kept = recall(KEPT);
    this.kept = { code, member: "", name: null, answers: {}, ...(kept?.code === code ? kept : {}) };
    this.said = new Set();
  }

  /** The room knows this page by this token; by another one than before where it had forgotten the page. */
  knownAs(member) {
    if (member !== this.kept.member) this.anew();
    this.keep({ member });
  }

  /** Nothing has been said yet: the line is new. */
  anew() {
    this.said.clear();
  }

  keep(news) {
    Object.assign(this.kept, news);
    remember(KEPT, this.kept);
  }

  called(name) {
    this.keep({ name });
    this.said.delete(NAME);
  }

  predicted({ choice, ...where }) {
    this.keep({ answers: { ...this.kept.answers, [keyOf(where)]: choice } });
    this.said.delete(keyOf(where));
  }

  /** The messages that are to be said now: the name, and what is predicted of the step that is shown `where`. */
  due({ lesson, index }) {
    const { name, answers } = this.kept, key = keyOf({ lesson, index });
    const words = [];
    if (name !== null && !this.said.has(NAME)) words.push({ type: "name", name });
    if (key in answers && !this.said.has(key)) words.push({ type: "answer", lesson, index, choice: answers[key] });
    this.said.add(NAME).add(key);
    return words;
  }
}
