"""Files, the ground floor: how bytes from outside are known, and read without being executed."""
