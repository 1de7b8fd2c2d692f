"""An OpenID Connect provider for tests, on this machine: whoever is sent there is ``email`` at once."""

import base64
import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey


class Provider(ThreadingHTTPServer):
    """Discovery, authorisation (by redirect), tokens and keys."""

    def __init__(self, email):
        super().__init__(("127.0.0.1", 0), Answers)
        self.email, self.key, self.nonces, self.asked = email, RSAKey.generate_key(2048), {}, []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def token(self, code):
        said = {"iss": self.url, "aud": "lab", "sub": "1", "email": self.email, "email_verified": True,
                "iat": 0, "exp": 2**32, "nonce": self.nonces.pop(code)}
        return jwt.encode({"alg": "RS256"}, said, self.key)


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        at = self.server.url
        self.server.asked.append(path)
        if path == "/.well-known/openid-configuration":
            self._say({"issuer": at, "authorization_endpoint": f"{at}/authorize", "token_endpoint": f"{at}/token",
                       "jwks_uri": f"{at}/keys", "code_challenge_methods_supported": ["S256"],
                       "id_token_signing_alg_values_supported": ["RS256"]})
        elif path == "/keys":
            self._say({"keys": [self.server.key.as_dict(private=False)]})
        elif path == "/authorize":
            assert query["code_challenge_method"] == ["S256"]
            self.server.nonces["a-code"] = query["nonce"][0]
            self.send_response(302)
            back = urlencode({"code": "a-code", "state": query["state"][0]})
            self.send_header("Location", f"{query['redirect_uri'][0]}?{back}")
            self.end_headers()
        else:
            self.send_error(404)

    def do_POST(self):
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert base64.b64decode(self.headers["Authorization"].split()[1]) == b"lab:hush"
        self._say({"access_token": "x", "token_type": "Bearer", "id_token": self.server.token(sent["code"][0])})

    def _say(self, what):
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def provider(email):
    """It runs meanwhile."""
    with Provider(email) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
