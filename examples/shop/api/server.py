"""The shop's price list over HTTP: GET /prices, GET /health."""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

FOLDER = Path(__file__).parent
PORT = int(os.environ.get("PORT", "8080"))


def prices() -> dict[str, int]:
    """Every article with its price in cents."""
    return json.loads((FOLDER / "prices.json").read_text())


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answers = {"/health": lambda: {"ok": True}, "/prices": prices}
        answer = answers.get(self.path)
        body = json.dumps(answer() if answer else {"error": "not found"}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    HTTPServer(("", PORT), Shop).serve_forever()
