"""``lpc serve``: the lab in the browser."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 127.0.0.1 is this machine only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    workers: Annotated[int, typer.Option(min=1, max=64, envvar="LPC_WORKERS", help="Training processes.")] = 1,
    device: Annotated[str, typer.Option(envvar="LPC_DEVICE", help="auto, cpu, cuda or cuda:N.")] = "auto",
    on: Annotated[str, typer.Option(envvar="LPC_ON", help="Where training processes run: processes (this machine), "
                                                          "ray, or ray:HOST:PORT.")] = "processes",
) -> None:
    """Start the lab and say where it is."""
    from app.__main__ import main

    main(["--host", host, "--port", str(port), "--workers", str(workers), "--device", device, "--on", on])


COMMAND = serve
