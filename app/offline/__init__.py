"""Pages that train without a server: a run and all it needs, written into one HTML file."""
