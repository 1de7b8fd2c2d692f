"""Engines that train a run: the trainer, and the ways it can take a step."""
