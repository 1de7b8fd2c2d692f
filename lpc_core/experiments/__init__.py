"""The paper's experiments by name: rows of every published generation, a store of runs, and what they say."""
