// The input side of a run: what the network says of the plane of its samples, on a grid. As `app.training.inputs`.

const CELLS = 48; // places each way

/** The class the network gives the middle of each cell, the top row first, as a tensor; null where the inputs are no plane. */
export function regionsOf({ kind, window }, trainer) {
  if (kind !== "plane") return null;
  const [x, y, half] = window;
  const step = (i) => half * (((i + 0.5) / CELLS) * 2 - 1);
  const places = Float64Array.from({ length: 2 * CELLS * CELLS }, (_, i) => {
    const cell = i >> 1;
    return Math.fround(i % 2 ? y - step(Math.floor(cell / CELLS)) : x + step(cell % CELLS));
  });
  return { data: trainer.decide(places, CELLS * CELLS), shape: [CELLS, CELLS] };
}
