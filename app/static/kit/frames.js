// Decodes one safetensors message (8-byte header length, JSON header, raw little-endian buffers), and the moment in it. Names as `lpc_core.snapshot`.

const VIEWS = {
  F32: Float32Array, F64: Float64Array, I16: Int16Array, U16: Uint16Array,
  I32: Int32Array, U32: Uint32Array, U8: Uint8Array, I8: Int8Array, I64: BigInt64Array,
};

// In older films; as `OLD_NAMES` in Python.
const OLD_NAMES = { points: "collapse_points", wrong: "predictions", binarity: "node_peak_distance", range: "hist_range" };

/** Returns {kind, info, tensors: {name: {shape, data}}} of an ArrayBuffer. */
export function decode(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: [start, end] }] of Object.entries(entries)) {
    const View = VIEWS[dtype];
    if (!View) throw new Error(`frame tensor ${name}: expected a dtype of ${Object.keys(VIEWS)}, got ${dtype}`);
    // slice() copies, so the data is aligned whatever the header's length is.
    tensors[OLD_NAMES[name] ?? name] = { shape, data: new View(buffer.slice(8 + length + start, 8 + length + end)) };
  }
  return { kind: metadata.kind, info: JSON.parse(metadata.info || "{}"), tensors };
}

/** A message of a group of runs as one message for each run, which says of the group what it does not say itself. */
export function partsOf({ kind, info, tensors }) {
  const { panels, ...group } = info;
  return panels.map((own, i) => {
    const mine = Object.entries(tensors).filter(([name]) => name.startsWith(`${i}.`)).map(([name, value]) => [name.slice(2), value]);
    return { kind, info: { ...group, ...own }, tensors: Object.fromEntries(mine) };
  });
}

/** A run's moment in a frame or a film, in latent units. */
export function momentOf({ info, tensors }) {
  const { data: packed, shape: [n, p] } = tensors.xy;
  const xy = Float32Array.from(packed, (value) => value * info.scale);
  const data = (name) => tensors[name]?.data ?? null;
  const { norm_mean, predicted_radius, gamma } = info;
  return {
    info, n, p, xy, predictions: data("predictions"), means: data("means"), collapse_points: data("collapse_points"), forces: data("forces"),
    norm_mean, predicted_radius, gamma,
  };
}
