// Cross-entropy of a batch, and its gradient at the logits, with label smoothing as in PyTorch.

/** Mean over `count` samples; `above` (count, K) becomes (p − target) / count. */
export function crossEntropy(logits, labels, count, K, smoothing, above) {
  const [own, rest] = [1 - smoothing + smoothing / K, smoothing / K];
  let loss = 0;
  for (let i = 0, at = 0; i < count; i++, at += K) {
    let [top, sum, spread] = [-Infinity, 0, 0];
    for (let k = 0; k < K; k++) if (logits[at + k] > top) top = logits[at + k];
    for (let k = 0; k < K; k++) {
      const away = logits[at + k] - top;
      spread += away;
      sum += above[at + k] = Math.exp(away);
    }
    const label = at + labels[i];
    loss += Math.log(sum) - (1 - smoothing) * (logits[label] - top) - rest * spread;
    for (let k = 0; k < K; k++) above[at + k] = (above[at + k] / sum - rest) / count;
    above[label] -= (own - rest) / count;
  }
  return loss / count;
}
