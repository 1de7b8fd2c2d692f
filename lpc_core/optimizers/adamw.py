"""AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101): Adam whose weight decay is decoupled from the gradient."""

from __future__ import annotations

import torch

from lpc_core.optimizers._adam import adam_like

OPTIMIZER = adam_like(torch.optim.AdamW, torch._fused_adamw_)
