"""What a run's device may do to it, by name; without torch, for processes that only pass the words on."""

from __future__ import annotations


class DeviceError(ValueError):
    """A run that its device cannot go on with; the others on it can."""


class DeviceLost(DeviceError):
    """A device that answers no more. Nothing else in this process can use it either: end it and start another."""
