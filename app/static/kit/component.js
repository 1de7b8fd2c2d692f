// Streamlit's entry for a part of a page that keeps its state: called again with every change of data or theme.

import { mayGo, stays } from "./sharing.js";

const GRACE_MS = 300; // between a cleanup and the same element's next mount

/** The default export of a component's module; make(element, data, component) → {update(data), destroy()}. Other `about(data)`, another part. */
export function keeping(make, about = () => "") {
  const mounted = new WeakMap(); // parent element → {part, about, leaving}
  return (component) => {
    const { data, parentElement } = component;
    let known = mounted.get(parentElement);
    if (known) {
      clearTimeout(known.leaving);
      stays(known.part);
    }
    if (known && known.about === about(data)) known.part.update(data);
    else {
      known?.part.destroy();
      known = { part: make(parentElement, data, component), about: about(data) };
      mounted.set(parentElement, known);
    }
    const part = known;
    const leave = () => {
      if (parentElement.isConnected) return wait(); // a slow page only mounts it late
      if (mounted.get(parentElement) === part) mounted.delete(parentElement);
      part.part.destroy();
    };
    const wait = () => {
      part.leaving = setTimeout(leave, GRACE_MS);
    };
    return () => {
      mayGo(part.part);
      wait();
    };
  };
}
