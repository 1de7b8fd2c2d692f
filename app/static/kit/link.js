// The link's button by itself, on a page whose parts are many.

import { keeping } from "./component.js";
import { Part } from "./part.js";

/** props: {share, moment}. */
export default keeping((element, props) => {
  const link = new Part(element, props, { className: "lpc-link", testid: "lpc-link" });
  link.root.prepend(link.shareButton());
  link.styled();
  return link;
});
