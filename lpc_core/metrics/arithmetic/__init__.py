"""The arithmetic that the metrics share: sums over rows and classes, moments, mixtures, samples that are enough."""
