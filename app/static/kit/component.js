// Streamlit's entry for a part of a page that keeps its state: called again with every change of data or theme.

const GRACE_MS = 300; // between a cleanup and the same element's next mount

/** The default export of a component's module; make(element, data) → {update(data), destroy()}. */
export function keeping(make) {
  const mounted = new WeakMap(); // parent element → {part, leaving}
  return ({ data, parentElement }) => {
    let known = mounted.get(parentElement);
    if (known) {
      clearTimeout(known.leaving);
      known.part.update(data);
    } else {
      known = { part: make(parentElement, data) };
      mounted.set(parentElement, known);
    }
    return () => {
      known.leaving = setTimeout(() => {
        if (mounted.get(parentElement) === known) mounted.delete(parentElement);
        known.part.destroy();
      }, GRACE_MS);
    };
  };
}
