"""Latent point collapse: losses, theory, metrics and trainers. Needs torch, NumPy, SciPy, scikit-learn, safetensors."""
