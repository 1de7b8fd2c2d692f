// Streamlit's page made ours before it starts: where its server is, icons that are not read aloud, and keys for whatever scrolls.

// Streamlit would try every folder of the page's own path first, and the console would list what it did not find.
window.__streamlit = { BACKEND_BASE_URL: new URL(".", document.baseURI).href };

/** As kit/words.js, which is a module. */
const tr = (text) => globalThis.lpcWords?.[text] ?? text;

/** Icons are ligatures of a font: their names are no words of the page. */
function hush(node) {
  for (const icon of node.querySelectorAll("[data-testid=stIconMaterial]:not([aria-hidden])")) icon.setAttribute("aria-hidden", "true");
}

/** What scrolls is reached by keys, and a place for files is no mere decoration. */
function reach(node) {
  for (const box of node.querySelectorAll("[data-testid=stCode] pre:not([tabindex])")) set(box, { tabindex: "0", role: "region", "aria-label": tr("A text to copy") });
  for (const box of node.querySelectorAll("[data-testid=stSidebarContent]:not([tabindex])")) set(box, { tabindex: "0", role: "region", "aria-label": tr("Settings") });
  for (const box of node.querySelectorAll("[data-testid=stFileUploaderDropzone][role=presentation]")) set(box, { role: "group" });
}

function set(box, attributes) {
  for (const [name, value] of Object.entries(attributes)) box.setAttribute(name, value);
}

document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => [hush, reach].forEach((mend) => mend(document))).observe(document.body, { childList: true, subtree: true });
});
