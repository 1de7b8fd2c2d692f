"""Commands of ``lpc`` that need the lab, one per file, found like those of `lpc_core.commands`."""
