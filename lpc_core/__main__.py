"""``python -m lpc_core`` is the command ``lpc``."""

from lpc_core.cli import main

if __name__ == "__main__":
    main()
