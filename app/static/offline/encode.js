// Writes one message as safetensors bytes: the inverse of `decode` in kit/frames.js.

const DTYPES = new Map([[Float32Array, "F32"], [Float64Array, "F64"], [Int16Array, "I16"], [Uint16Array, "U16"], [Uint8Array, "U8"], [Int32Array, "I32"]]);

/** An ArrayBuffer of {kind, info} and tensors {name: {data, shape}}. */
export function encode(kind, info, tensors = {}) {
  const header = { __metadata__: { kind, info: JSON.stringify(info) } };
  let end = 0;
  for (const [name, { data, shape }] of Object.entries(tensors)) {
    header[name] = { dtype: DTYPES.get(data.constructor), shape, data_offsets: [end, (end += data.byteLength)] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  for (const [name, { data }] of Object.entries(tensors)) bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 8 + text.length + header[name].data_offsets[0]);
  return bytes.buffer;
}

/** A message of a group of runs: what they say as one, and each run's own part {info, tensors} under its number. */
export function encodeGroup(kind, group, parts) {
  const tensors = parts.flatMap((part, i) => Object.entries(part.tensors).map(([name, value]) => [`${i}.${name}`, value]));
  return encode(kind, { ...group, panels: parts.map(({ info }) => info) }, Object.fromEntries(tensors));
}
