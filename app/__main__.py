"""``python -m app``: serve the lab on this machine."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from typing import NoReturn

SHUTDOWN_S = 1  # for open connections, before they are cut


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, bind, serve until SIGINT or SIGTERM."""
    options = _parser().parse_args(arguments)
    os.environ.update({"LPC_WORKERS": str(options.workers), "LPC_DEVICE": options.device, "LPC_ON": options.on})
    from app.live.makers import check
    from app.settings import ONE_THREAD, SettingsError, from_env
    from lpc_core.config import ConfigError

    os.environ.update(ONE_THREAD)

    try:
        check(from_env().on)
    except (SettingsError, ConfigError) as error:
        _give_up(str(error))
    listening = _bind(options.host, options.port)
    with listening:
        _serve(listening, options.host)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app", description="LPC Lab: watch latent point collapse happen.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8501, help="port; 0 picks a free one (default: 8501)")
    parser.add_argument("--workers", default=os.environ.get("LPC_WORKERS", "1"), help="training processes (default: 1)")
    parser.add_argument("--device", default=os.environ.get("LPC_DEVICE", "auto"), help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--on", default=os.environ.get("LPC_ON", "processes"),
                        help="where they run: processes, ray or ray:HOST:PORT (default: processes)")
    return parser


def _give_up(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise SystemExit(2)


def _bind(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        _give_up(f"Port {port} of {host} cannot be used ({error}); choose another with --port.")


def _serve(listening: socket.socket, host: str) -> None:
    import uvicorn

    from app import login
    from app.server import app  # before anything asks Streamlit for a setting: it tells it where they are
    from app.settings import SettingsError

    try:
        login.check()
    except SettingsError as error:
        _give_up(str(error))
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listening.getsockname()[1]}"

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                print(f"LPC Lab is at {address}", flush=True)

    config = uvicorn.Config(app, log_level="warning", access_log=False, ws="websockets-sansio",
                            proxy_headers=False, timeout_graceful_shutdown=SHUTDOWN_S)
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn stops at the first, then hands it on to us: a clean end
        signal.signal(number, lambda *_: sys.exit(0))
    server = Server(config)
    server.run(sockets=[listening])
    if not server.started:
        raise SystemExit(3)


if __name__ == "__main__":
    main()
