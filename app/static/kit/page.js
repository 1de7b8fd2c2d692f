// Streamlit's page made ours before it starts: where its server is, a way past the form, and icons that are not read aloud.

// Streamlit would try every folder of the page's own path first, and the console would list what it did not find.
window.__streamlit = { BACKEND_BASE_URL: new URL(".", document.baseURI).href };

/** Icons are ligatures of a font: their names are no words of the page. */
function hush(node) {
  for (const icon of node.querySelectorAll("[data-testid=stIconMaterial]:not([aria-hidden])")) icon.setAttribute("aria-hidden", "true");
}

/** A table's scrolling part is reached by keys, and says what it is. */
function reach(node) {
  for (const box of node.querySelectorAll("[data-testid=stSidebarContent]:not([tabindex])")) {
    box.setAttribute("tabindex", "0");
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Settings");
  }
}

function skipLink() {
  const link = document.createElement("a");
  Object.assign(link, { className: "lpc-skip", href: "#lpc-main", textContent: "Skip to the page" });
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const first = document.querySelector("[data-testid=lpc-play], [data-testid=lpc-film-play], [data-testid=stMain] button, [data-testid=stMain]");
    first?.focus();
  });
  document.body.prepend(link);
}

document.addEventListener("DOMContentLoaded", () => {
  skipLink();
  new MutationObserver(() => [hush, reach].forEach((mend) => mend(document))).observe(document.body, { childList: true, subtree: true });
});
