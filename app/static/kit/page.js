// Streamlit's page made ours before it starts: where its server is, icons that are not read aloud, and keys for whatever scrolls.

// Streamlit would try every folder of the page's own path first, and the console would list what it did not find.
window.__streamlit = { BACKEND_BASE_URL: new URL(".", document.baseURI).href };

/** As kit/words.js, which is a module. */
const tr = (text) => globalThis.lpcWords?.[text] ?? text;

const MENDED = [
  ["[data-testid=stIconMaterial]:not([aria-hidden])", { "aria-hidden": "true" }], // icons are ligatures of a font: their names are no words of the page
  ["[data-testid=stCode] pre:not([tabindex])", { tabindex: "0", role: "region", "aria-label": tr("A text to copy") }], // what scrolls is reached by keys
  ["[data-testid=stSidebarContent]:not([tabindex])", { tabindex: "0", role: "region", "aria-label": tr("Settings") }],
  ["[data-testid=stFileUploaderDropzone][role=presentation]", { role: "group" }], // a place for files is no mere decoration
];

function mend() {
  for (const [parts, attributes] of MENDED) {
    for (const part of document.querySelectorAll(parts)) for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
  }
}

document.addEventListener("DOMContentLoaded", () => new MutationObserver(mend).observe(document.body, { childList: true, subtree: true }));
