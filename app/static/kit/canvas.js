// What all canvases share: their size, a clipped area, lines, and the pictures of samples.

/** Sizes a canvas to w × h CSS pixels, at most `most` of its own to each, and returns its cleared context. */
export function fit(canvas, w, h, most = 3) {
  const ratio = Math.min(most, window.devicePixelRatio || 1);
  const [width, height] = [Math.round(w * ratio), Math.round(h * ratio)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, w, h);
  return ctx;
}

/** Nothing is drawn outside the rectangle until the context is restored. */
export function clip(ctx, { x, y, w, h }) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, w, h);
  ctx.clip();
}

export function line(ctx, x0, y0, x1, y1) {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

/** Pixels of a shape [height, width, channels] as an ImageData; fewer than three channels are grey. */
export function imageOf(pixels, [height, width, channels]) {
  const image = new ImageData(width, height);
  for (let i = 0, j = 0; i < width * height; i++, j += channels) {
    const [r, g, b] = channels >= 3 ? [pixels[j], pixels[j + 1], pixels[j + 2]] : [pixels[j], pixels[j], pixels[j]];
    image.data.set([r, g, b, 255], 4 * i);
  }
  return image;
}

/** The picture of sample `index` among `thumbs` {data, shape}. */
export function thumbOf({ data, shape: [, ...shape] }, index) {
  const size = shape.reduce((product, side) => product * side);
  return imageOf(data.subarray(index * size, (index + 1) * size), shape);
}

/** Draws an ImageData on a canvas, which takes its size. */
export function putImage(canvas, image) {
  Object.assign(canvas, { width: image.width, height: image.height });
  canvas.getContext("2d").putImageData(image, 0, 0);
}
