"""What pyproject.toml cannot say: the samples and films of assets/ go into the package, as `app.samples`."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["lpc_core*", "app*"]), "app.samples", "app.films"],
    package_dir={"app.samples": "assets/samples", "app.films": "assets/films"},
    package_data={"app": ["static/**/*", "looks/report.css", "locale/**/*.mo", "locale/**/*.json", ".streamlit/*"],
                  "app.samples": ["*"], "app.films": ["*"],
                  "lpc_core": ["py.typed"]},
)
