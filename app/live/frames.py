"""Frames: what the browser is sent, as safetensors bytes (8-byte little-endian header length, JSON header, raw buffers).

The header's ``__metadata__`` has two strings: ``kind`` and ``info`` (a JSON object). Multi-byte numbers are little-endian.
``p`` is the number of drawn dimensions (2 or 3), n the probe samples, K the classes, d the latent nodes, m the large nodes.

kind "setup": sent first, and again whenever a run starts (new config, reset, or a new worker).
    info: {run: int (grows with every new run), frame: int, dataset: str, title: str (data set's menu title), n, K, d,
           class_names: [str], image: null | [H, W, C], convention: "sum"|"mean", penultimate: str, optimizer: str, steps: int,
           gamma_start: float, gamma_end: float, theory: bool (collapse points are drawn), theory_note: str (why not),
           history: {name: [number|null]} (columns of equal length incl. "step" and "gamma"; thinned to ≤ 1,000 rows)}
    labels  uint8 (n,)
kind "frame": one moment.
    info: {run, frame: int (grows), step: int, steps: int (where it stops by itself), gamma, gamma_sum, gamma_target, gamma_seq: int, gamma_mode: "auto"|"hand",
           lr, head_lr, state: "running"|"paused"|"finished"|"diverged", reason: str,
           steps_per_s: float, scale: float (latent unit of one int16), radius: float (norm_mean),
           predicted_radius: float|null, metrics: {} | {name: number|null} (given on some frames only: one point of the curves),
           sentence: str (one sentence on what is happening now), projection, nodes: [int] | [] , dims: 2|3,
           large: [int], hist_range: float (histograms span −hist_range…+hist_range), notice: str}
    xy          int16   (n, p)   latents in the view; value = int16 · scale
    predictions uint8   (n,)
    means       float32 (K, p)   class means in the view
    points      float32 (K, p)   predicted collapse points z* in the view; absent where the theory does not apply
    forces      float32 (3, K, p) cross-entropy, penalty, tangential, at the means, in loss units; absent likewise
    hist        uint16  (d, 48)  histogram of every node, all classes
    hist_class  uint16  (m, K or 1, 48) of the large nodes, by class (K ≤ 12) or all together (1)
    binarity    float32 (d,)     peak distance of every node in peak widths; NaN when unknown
kind "thumbs": info: {run}; pixels uint8 (n, H, W, C), C = 1 or 3.
kind "notice": info: {level: "info"|"warning"|"error", text: str, progress: float|null, state: "loading"|...}; no tensors.
"""
