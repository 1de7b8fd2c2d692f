// The tests' own kit: test(name, body) registers, run(name) runs one; a check that fails throws what it got and what it expected.

const tests = new Map();

export function test(name, body) {
  if (tests.has(name)) throw new Error(`two tests are called ${name}`);
  tests.set(name, body);
}

export async function run(name) {
  document.body.replaceChildren();
  await tests.get(name)();
}

const plain = (value) => JSON.stringify(value, (_, one) => {
  if (ArrayBuffer.isView(one)) return Array.from(one, (item) => (typeof item === "bigint" ? `${item}n` : item));
  if (one instanceof Map || one instanceof Set) return [...one];
  return typeof one === "number" && !Number.isFinite(one) ? String(one) : one === undefined ? "undefined" : one;
});

/** Equal by content: numbers, texts, arrays of any kind, maps, plain objects. */
export function equal(got, expected) {
  if (plain(got) !== plain(expected)) throw new Error(`expected ${plain(expected)}, got ${plain(got)}`);
}

/** Numbers, or arrays of them, that agree within `tolerance`. */
export function close(got, expected, tolerance = 1e-6) {
  const [a, b] = [[got].flat(), [expected].flat()].map((one) => one.flatMap((value) => (ArrayBuffer.isView(value) ? [...value] : value)));
  const far = a.length === b.length ? a.findIndex((value, i) => !(Math.abs(value - b[i]) <= tolerance)) : 0;
  if (far >= 0) throw new Error(`expected ${a.length === b.length ? b[far] : `${b.length} numbers`}, got ${a.length === b.length ? a[far] : a.length} (at ${far})`);
}

/** Runs `body`, which must throw an error whose words fit `pattern`. */
export function throws(body, pattern) {
  let said = null;
  try {
    body();
  } catch (error) {
    said = error.message;
  }
  if (said === null || !pattern.test(said)) throw new Error(`expected an error like ${pattern}, got ${said ?? "none"}`);
}

/** What Python wrote for the tests: bytes, or JSON. */
export async function bytes(name) {
  return (await fetch(`/data/${name}`)).arrayBuffer();
}

export async function json(name) {
  return (await fetch(`/data/${name}`)).json();
}
