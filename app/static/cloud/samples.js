// A list of samples: pictures or captions with class, prediction and row; pointing at one rings it in the point cloud.

import { join } from "./choice.js";
import { pictureAt } from "./file.js";
import { putImage } from "../kit/canvas.js";
import { keeping } from "../kit/component.js";
import { button, el, setText } from "../kit/dom.js";
import { formatCount, formatNumber } from "../kit/format.js";
import { Part } from "../kit/part.js";
import { tr } from "../kit/words.js";

const PAGE = 48; // samples shown before "show more"

export class Samples extends Part {
  /** props: {title, note, items: [{row, place, label, prediction, wrong, distance, caption}], imagesUrl, imagesAt, image, total, group} */
  constructor(element, props) {
    super(element, props, { sheets: ["cloud/cloud.css"] });
    Object.assign(this, { shown: PAGE, key: "" });
    this.title = el("h2");
    this.note = el("p", { class: "lpc-hint", testid: "lpc-samples-note" });
    this.list = el("ul", { class: "lpc-samples-list", testid: "lpc-samples-list" });
    this.more = button("", "lpc-samples-more", () => {
      this.shown += 4 * PAGE;
      this.show();
    });
    this.root.append(el("section", { class: "lpc-panel lpc-samples", testid: "lpc-samples" }, this.title, this.note, this.list, this.more));
    this.update(props);
    this.styled();
  }

  update(props) {
    super.update(props);
    const key = JSON.stringify(props);
    if (key === this.key) return;
    Object.assign(this, { key, shown: PAGE });
    this.link?.leave();
    this.link = props.group ? join(props.group, { total: props.total, hear() {} }) : null;
    this.show();
  }

  show() {
    const { title, note, items } = this.props;
    setText(this.title, title);
    setText(this.note, note);
    this.list.classList.toggle("lpc-samples-pictures", Boolean(this.props.image));
    this.list.replaceChildren(...items.slice(0, this.shown).map((item) => this.tile(item)));
    this.more.hidden = items.length <= this.shown;
    setText(this.more, tr("show more ({n})", { n: formatCount(items.length - this.shown) }));
  }

  tile(item) {
    const { row, label, prediction, wrong, distance, caption } = item;
    const words = el("div", { class: "lpc-sample-words" }, el("strong", { text: label }),
      prediction && el("span", { class: wrong ? "lpc-wrong" : "lpc-sample-right", text: wrong ? `→ ${prediction}` : `✓ ${tr("right")}` }),
      caption && el("span", { class: "lpc-tip-caption", text: caption }),
      el("span", { class: "lpc-tip-values", text: tr("row {n} · {distance} from its centre", { n: formatCount(row), distance: formatNumber(distance) }) }));
    return el("li", { class: "lpc-sample", tabindex: "0", testid: "lpc-sample", on: {
      pointerenter: () => this.point(row), pointerleave: () => this.point(-1), focus: () => this.point(row), blur: () => this.point(-1),
    } }, this.props.image && this.picture(item), words);
  }

  point(row) {
    this.link?.tell("hover", row);
  }

  picture({ place }) {
    const { image, imagesUrl, imagesAt } = this.props;
    const [height, width] = image;
    const canvas = el("canvas", { class: "lpc-thumb", width, height, "aria-hidden": "true" });
    if (place >= 0) pictureAt(imagesUrl, imagesAt, image, place).then((pixels) => putImage(canvas, pixels), () => canvas.remove()); // the words stay without their picture
    return canvas;
  }

  destroy() {
    super.destroy();
    this.link?.leave();
  }
}

export default keeping((element, data) => new Samples(element, data));
