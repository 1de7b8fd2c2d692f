"""Calls an ASGI app without a server."""

import asyncio
from dataclasses import dataclass


@dataclass
class Answer:
    status_code: int
    headers: dict
    content: bytes


class Client:
    """``get(url, headers)`` gives the whole answer; ``ask`` does so within a loop."""

    def __init__(self, app):
        self.app = app

    def get(self, url, headers=None):
        return asyncio.run(self.ask(url, headers))

    async def ask(self, url, headers=None):
        path, _, query = url.partition("?")
        named = [(k.encode(), v.encode()) for k, v in {"host": "testserver", **(headers or {})}.items()]
        scope = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
                 "query_string": query.encode(), "headers": named, "client": ("127.0.0.1", 1),
                 "server": ("testserver", 80), "root_path": "", "asgi": {"version": "3.0", "spec_version": "2.4"}}
        sent = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        head = {k.decode().lower(): v.decode() for k, v in sent[0]["headers"]}
        return Answer(sent[0]["status"], head, b"".join(m.get("body", b"") for m in sent[1:]))
