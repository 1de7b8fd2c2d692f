"""Desks: work for one page in a process of its own: films, studies, inspections, and the files they make."""
