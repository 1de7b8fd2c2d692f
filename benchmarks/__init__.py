"""One script per claim of the README; each prints a table, with ratios against a peer measured in the same run."""
