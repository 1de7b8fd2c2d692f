import { equal, test } from "./kit.js";

test("a term's meaning is read by whoever comes to it, and is its title again afterwards", async () => {
  await import("../../app/static/kit/terms.js");
  document.body.innerHTML = '<p>A <a href="#term-1" title="It means this.">term</a>, <a href="#term-2" title="And that.">another</a> and <a href="#none" title="Nothing.">a link</a></p>';
  const [one, other, link] = document.querySelectorAll("a");
  const seen = () => [document.querySelector(".lpc-term-tip:not([hidden])")?.textContent, one.title, other.title, one.getAttribute("aria-describedby")];
  const at = (node, type, more = {}) => node.dispatchEvent(new PointerEvent(type, { bubbles: true, cancelable: true, ...more }));
  at(one, "focusin");
  equal(seen(), ["It means this.", "", "And that.", "lpc-term-tip"]);
  at(other, "pointerover", { pointerType: "mouse" });
  equal(seen(), ["And that.", "It means this.", "", null]);
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  equal(seen(), [undefined, "It means this.", "And that.", null]);
  equal([at(one, "click"), seen()[0]], [false, "It means this."]); // it leads nowhere
  at(document.querySelector(".lpc-term-tip"), "click");
  equal(seen()[0], "It means this.");
  link.addEventListener("click", (event) => event.preventDefault());
  at(link, "click");
  equal(seen(), [undefined, "It means this.", "And that.", null]);
});
