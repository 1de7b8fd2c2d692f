// What the pages that need no network share: data written into the page, and colours that follow the system's.

import { readTheme } from "./theme.js";

export const textIn = (id) => document.getElementById(id).textContent;

/** The bytes written in base64 into the element `id`. */
export function bytesIn(id) {
  const text = atob(textIn(id).trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

/** An address from which the script written as text into the element `id` can be loaded, once it is wanted. */
export const scriptIn = (id) => URL.createObjectURL(new Blob([textIn(id)], { type: "text/javascript" }));

/** The props that every such page gives its part. The page is light or dark, as the system is now and whenever it changes, which `part()` is told. */
export function embedded(part) {
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  const paint = () => {
    const { background, text } = readTheme(document.body, scheme.matches);
    Object.assign(document.body.style, { background, color: text });
  };
  paint();
  scheme.addEventListener("change", () => {
    paint();
    part().update({ dark: scheme.matches });
  });
  return { plotlyUrl: scriptIn("plotly"), abouts: JSON.parse(textIn("abouts")), dark: scheme.matches, styled: true };
}
