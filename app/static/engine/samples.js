// The samples in the file as a network takes them: vectors as they are, pictures standardised per channel, channels first.

/** `stored` {data, shape}: (N, D) numbers or (N, H, W, C) bytes → (N · width) in float64, rounded as the server rounds. */
export function inputsOf({ data, shape }, mean, std) {
  if (!mean) return Float64Array.from(data);
  const [count, height, width, channels] = shape;
  const [round, area] = [Math.fround, height * width];
  const [middle, spread] = [mean.map(round), std.map(round)];
  const found = new Float64Array(data.length);
  for (let i = 0; i < count; i++) {
    for (let place = 0; place < area; place++) {
      for (let c = 0; c < channels; c++) {
        const value = round(data[(i * area + place) * channels + c] / 255);
        found[(i * channels + c) * area + place] = round(round(value - middle[c]) / spread[c]);
      }
    }
  }
  return found;
}

/** The rows of `inputs` (N · width) with these numbers. */
export function rowsOf(inputs, width, rows) {
  const found = new Float64Array(rows.length * width);
  rows.forEach((row, i) => found.set(inputs.subarray(row * width, (row + 1) * width), i * width));
  return found;
}
