"""What every number means: name, formula, one plain sentence and source, for tables, tooltips and axes."""

from __future__ import annotations

from lpc_core.metrics._base import Metric

_PAPER = "Sbailò & Ghiringhelli, arXiv 2310.08224"
_LAB = "this project"


_ALL = (
    Metric("loss", "Loss", "CE + γ·‖z‖²", "What training makes small: mistakes plus the cost of large latents.",
           _PAPER, True),
    Metric("ce", "Cross-entropy", "mean of −log p_y",
           "How unsure the network is of the right class. 0 is certain and right; log K is a blind guess.",
           "standard", True),
    Metric("penalty", "Penalty", "γ · mean of ‖z‖²", "What the latents pay for lying away from the origin.",
           _PAPER, True),
    Metric("train_accuracy", "Training accuracy", "share of ŷ = y, training samples",
           "How many training samples are classified right. From 99.9 % on the paper speaks of the terminal phase.",
           "standard", False),
    Metric("test_accuracy", "Test accuracy", "share of ŷ = y, held-out samples",
           "How many samples it has never seen are classified right.", "standard", False),
    Metric("lr", "Learning rate", "step size of the backbone", "How far the backbone's weights move per step.",
           "standard", True),
    Metric("gamma", "γ", "factor of ‖z‖² in the loss",
           "How strongly latents are pulled to the origin. The mean convention (the authors' code) is d times weaker "
           "at the same number.", _PAPER, True),
    Metric("norm_mean", "Mean radius", "mean of ‖z‖",
           "How far the latents lie from the origin. It shrinks as γ grows.", _PAPER + ", Lemma 2", True),
    Metric("norm_cv", "Radius variation", "std / mean of ‖z‖",
           "How thick the shell is that the latents lie on. 0: all have the same radius.", _PAPER, True),
    Metric("predicted_radius", "Predicted radius", "mean of ‖z*_y‖, z*_y = argmin CE(Wz + b, y) + γ‖z‖²",
           "The radius at which pushing out and pulling in balance for the present head, solved without looking at "
           "the latents.", _LAB + ", after Lemma 2", True),
    Metric("radius_error", "Radius error", "|mean ‖z‖ − predicted| / predicted",
           "How far the measured radius is from the predicted one. Large before the classes have settled, and where "
           "the predicted radius is smaller than one training step can aim.", _LAB, True),
    Metric("point_error", "Collapse point error", "mean over classes of ‖μ_c − z*_c‖ / ‖z*_c‖",
           "How far each class's centre is from the one point the theory gives it. Small: the theory holds.",
           _LAB, True),
    Metric("within_class_spread", "Spread within a class", "√(tr Σ_W) / mean ‖z‖",
           "The size of a class's cloud as a share of its distance from the origin. Towards 0 the class is a point.",
           _LAB, True),
    Metric("sigma_w_trace", "Within-class scatter", "tr Σ_W, Σ_W the mean over classes of the covariance",
           "The squared size of a class's cloud, in squared latent units.", _PAPER, True),
    Metric("nc1_pinv", "NC1", "tr(Σ_W Σ_B⁺) / K",
           "Scatter within classes measured against the distances between them. Towards 0 the classes collapse.",
           "Papyan, Han & Donoho 2020", True),
    Metric("separation_ratio", "Separation ratio 𝓡", "mean of (distance to nearest other centre / to own centre)",
           "How much nearer a sample is to its own class than to the next. Grouped by prediction. In the paper it "
           "goes along with robustness.", _PAPER + ", Figure 3", True),
    Metric("weight_norm", "Head norm", "‖W‖_F",
           "The size of the head's weights. Under a growing γ it must grow, or the classes are lost.", _LAB, True),
    Metric("weight_abs_cv", "Head weight variation", "mean over nodes of std / mean of |W_kj| over classes k",
           "How unequal the strengths are with which the head reads a node. Towards 0 its weights are ±a, and the "
           "code is binary.", _LAB, False),
    Metric("abs_cv", "Node size variation", "std / mean of |z_ij|",
           "How unequal the values of single nodes are in size. Towards 0 every node is +a or −a: a binary code.",
           _PAPER, False),
    Metric("node_peak_distance_mean", "Peak distance, mean node", "|μ₁ − μ₂| / ((σ₁ + σ₂)/2), mean over nodes",
           "How many peak widths lie between the two values a node takes. A single bell curve reads 2.6; above 5 "
           "there are two peaks.", _PAPER + ", Eq. 27, with 2-means for the mixture", True),
    Metric("node_peak_distance_min", "Peak distance, worst node", "the same, smallest over nodes",
           "The node that is least binary. Above 5 every node takes two values.",
           _PAPER + ", Eq. 27, with 2-means for the mixture", True),
)
METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
