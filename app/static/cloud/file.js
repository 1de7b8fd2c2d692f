// The files of a point cloud: the samples at once, single nodes and thumbnails by byte range when they are wanted.

import { imageOf } from "../kit/canvas.js";
import { nodeName } from "../kit/format.js";
import { decode } from "../kit/frames.js";
import { tr } from "../kit/words.js";

const KEPT_COLUMNS = 24;
const KEPT_THUMBS = 400;
const NAMES = { pca: "PC", tsne: "t-SNE", umap: "UMAP" };

export class CloudFile {
  /** Fetches the cloud of `urls()` {cloudUrl, nodesUrl, imagesUrl, theoryUrl, pointsUrl, projections: {tsne, umap}}, of which more come with time. */
  static async open(urls) {
    return new CloudFile(decode(await bytesOf(urls().cloudUrl)), urls);
  }

  constructor({ info, tensors }, urls) {
    const data = (name) => tensors[name]?.data ?? null;
    Object.assign(this, { info, urls, tensors, n: info.n, d: info.d, K: info.K, G: 0, theory: null });
    Object.assign(this, { labels: data("labels"), predictions: data("predictions"), rows: data("rows") ?? Uint32Array.from({ length: info.n }, (_, i) => i) });
    Object.assign(this, { columns: new Map(), thumbs: new Map(), captions: data("text_ends") && new TextDecoder() });
    this.places = new Map(Array.from(this.rows, (row, i) => [row, i]));
    this.order = shuffled(this.n);
    this.wrong = this.predictions ? Uint8Array.from(this.labels, (label, i) => Number(label !== this.predictions[i])) : new Uint8Array(this.n);
  }

  /** Fetches what is predicted, once it is there; returns whether that is news. */
  async learn() {
    const { theoryUrl } = this.urls();
    if (!theoryUrl || this.theory) return false;
    const { info, tensors } = decode(await bytesOf(theoryUrl));
    if (this.theory) return false; // asked for twice meanwhile
    Object.assign(this, { theory: { ...info, seen: tensors.pca_collapse_points?.data ?? null }, G: info.gammas.length });
    return true;
  }

  /** The drawn sample of a row in the file; −1 where it is not drawn. */
  sampleOf(row) {
    return this.places.get(row) ?? -1;
  }

  caption(i) {
    if (!this.captions) return "";
    const { text_ends: { data: ends }, text_bytes: { data: bytes } } = this.tensors;
    return this.captions.decode(bytes.subarray(i ? ends[i - 1] : 0, ends[i]));
  }

  /** Whether `kind` can be shown now. */
  has(kind) {
    return kind === "nodes" || (kind === "pca" ? "pca" in this.tensors : Boolean(this.urls().projections?.[kind]));
  }

  /** Axes of `kind` for the samples and for whatever is drawn with them:
      {kind, titles, xyz: [p arrays (n)], means, head: [p arrays (K)], points: [p arrays (G·K)], origin: [p numbers]}; null where there is none. */
  async axes(kind, nodes, dims) {
    if (kind === "nodes") return this.nodeAxes(nodes.slice(0, dims));
    const url = this.urls().projections?.[kind];
    const tensor = kind === "pca" ? this.tensors.pca : await kept(this.columns, KEPT_COLUMNS, url, async () => decode(await bytesOf(url)).tensors.xy);
    const count = Math.min(dims, tensor.shape[0]);
    const parts = (data) => (kind === "pca" && data ? split(data, tensor.shape[0]).slice(0, count) : null);
    const part = (name) => parts(this.tensors[name]?.data);
    return {
      kind, titles: Array.from({ length: count }, (_, i) => `${NAMES[kind]} ${i + 1}`), xyz: split(tensor.data, tensor.shape[0]).slice(0, count),
      means: part("pca_means"), points: this.G ? parts(this.theory.seen) : null, head: part("pca_head"), origin: part("pca_origin")?.map((one) => one[0]) ?? null,
    };
  }

  async nodeAxes(nodes) {
    const { info: { at }, theory } = this;
    const { nodesUrl, pointsUrl } = this.urls();
    const all = (name, count, from, url) => (from && (count || name === "nodes") ? Promise.all(nodes.map((node) => this.column(name, node, count, from, url))) : null);
    const [xyz, means, head, points] = await Promise.all([
      all("nodes", this.n, at.nodes, nodesUrl), all("means", this.K, at.means, nodesUrl), all("head", this.K, at.head, nodesUrl),
      all("points", this.G * this.K, theory?.at, pointsUrl)]);
    const axes = { kind: "nodes", titles: nodes.map(nodeName), xyz, means, points, head, origin: nodes.map(() => 0) };
    return nodes.length > 1 ? axes : spreadOut(axes, this);
  }

  /** One node's `count` numbers of array `name`. */
  async column(name, node, count, from, url) {
    return kept(this.columns, KEPT_COLUMNS, `${name} ${node}`, async () => new Float32Array(count ? await bytesOf(url, from + 4 * count * node, 4 * count) : 0));
  }

  /** The ImageData of sample i, or null without pictures; remembered. */
  async thumb(i) {
    const { image, images_at: from } = this.info;
    return image ? kept(this.thumbs, KEPT_THUMBS, i, () => pictureAt(this.urls().imagesUrl, from, image, i)) : null;
  }
}

/** The promise under `key` of a map, made where there is none; of more than `most` the oldest goes, and one that failed is made anew. */
function kept(map, most, key, make) {
  if (!map.has(key)) {
    const made = make();
    map.set(key, made);
    made.catch(() => map.delete(key));
    if (map.size > most) map.delete(map.keys().next().value);
  }
  return map.get(key);
}

/** `size` bytes of a file from byte `from` on, or all of it. */
async function bytesOf(url, from = 0, size = 0) {
  const headers = size ? { Range: `bytes=${from}-${from + size - 1}` } : {};
  const answer = await fetch(new URL(url, document.baseURI), { headers });
  if (!answer.ok) throw new Error(answer.status === 404 ? tr("these points are no longer held by the server") : tr("the points could not be loaded ({status})", { status: answer.status }));
  const buffer = await answer.arrayBuffer();
  return size && answer.status === 200 ? buffer.slice(from, from + size) : buffer; // 206: just the part
}

function split(data, parts) {
  const size = data.length / parts;
  return Array.from({ length: parts }, (_, i) => data.subarray(i * size, (i + 1) * size));
}

/** A single node is drawn along x; y only keeps the samples apart. */
function spreadOut(axes, { K, G }) {
  const [x] = axes.xyz;
  const reach = x.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 0) || 1;
  const jitter = x.map((_, i) => (((i * 0.754877666) % 1) - 0.5) * reach);
  const zeros = (count) => new Float32Array(count);
  return {
    ...axes, titles: [axes.titles[0], tr("spread")], xyz: [x, jitter], means: axes.means && [axes.means[0], zeros(K)],
    points: axes.points && [axes.points[0], zeros(G * K)], head: axes.head && [axes.head[0], zeros(K)], origin: [0, 0],
  };
}

/** The ImageData of the picture at `place` among those of a shape that begin at byte `from` of a file. */
export async function pictureAt(url, from, shape, place) {
  const size = shape.reduce((product, side) => product * side);
  return imageOf(new Uint8Array(await bytesOf(url, from + size * place, size)), shape);
}

/** 0…n−1 in an order that is mixed, and the same each time: no class hides another, and a part of it is a fair sample. */
function shuffled(n) {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  let state = 12_345;
  for (let i = n - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const j = Math.floor((state / 4_294_967_296) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
