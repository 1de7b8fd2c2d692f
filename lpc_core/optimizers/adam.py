"""Adam (Kingma and Ba 2015, arXiv 1412.6980), with weight decay as a part of the gradient."""

from __future__ import annotations

import torch

from lpc_core.optimizers._adam import adam_like

OPTIMIZER = adam_like(torch.optim.Adam, torch._fused_adam_)
