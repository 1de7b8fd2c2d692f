"""Looks: what is drawn on the server: point clouds, the report of an inspection, the page of a film."""
