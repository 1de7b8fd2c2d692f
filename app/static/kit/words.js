// The page's texts in its reader's language: `app.words` in the browser. The English text is the key.

const table = globalThis.lpcWords ?? {}; // which the server's HTML, or the page that needs no server, brings along

/** `text` in the reader's language, with `values` in its places: tr("{n} of {all}", {n: 1, all: 3}). */
export function tr(text, values = {}) {
  const words = Object.hasOwn(table, text) ? table[text] : text ?? "";
  return words.replace(/\{(\w+)\}/g, (place, name) => (Object.hasOwn(values, name) ? values[name] : place));
}

/** What a run says of itself: a text, or a text and its values. */
export const said = (sentence) => (Array.isArray(sentence) ? tr(...sentence) : tr(sentence));
