"""What pyproject.toml cannot say: the samples, films and results of assets/ go into the package, as `app.samples`."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["lpc_core*", "app*"]), "app.samples", "app.films",
              "app.results"],
    package_dir={"app.samples": "assets/samples", "app.films": "assets/films",
                 "app.results": "assets/results"},
    package_data={"app": ["static/**/*", "looks/report.css", "locale/**/*.mo", "locale/**/*.json",
                          ".streamlit/config.toml"],
                  "app.samples": ["*"], "app.films": ["*"],
                  "app.results": ["*", "phase/*"],
                  "lpc_core": ["py.typed"]},
)
