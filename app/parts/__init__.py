"""Parts: what a page mounts, one Streamlit component per file, each drawn by a module of ``static/``."""
