// The link's button by itself, on a page whose parts are many.

import { keeping } from "./component.js";
import { Part } from "./part.js";

class Link extends Part {
  /** props: {share, moment}. */
  constructor(element, props) {
    super(element, props, { className: "lpc-link", testid: "lpc-link" });
    this.root.prepend(this.shareButton());
    this.styled();
  }
}

export default keeping((element, data) => new Link(element, data));
