#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""echo -- the upstream of the specs: an HTTP/1.1 keep-alive server that shows what reached it.

  ANY /...                 200, JSON: method, uri, path, args, headers, body, connection, name
  ANY /status/N            that status, with the same JSON
  ANY /delay/S             the same after S seconds
  GET /stream/N            N JSON lines, chunked, all at once
  GET /drip?count=&delay=  server-sent events, one per `delay` seconds, chunked
  GET /bytes/N             N bytes with a Content-Length
  ANY /response-headers?a=b   sets these response headers
  GET /close               answers without Content-Length and closes
  GET /cut/N               promises 1000 bytes, sends N of them and closes
  GET /garbage             answers with something that is not HTTP
  GET /abort               closes without an answer
  GET /hang                accepts, and says nothing until the peer goes away
  GET /requests            how many requests this server has seen (not counting these)

Usage: echo.py [--host 127.0.0.1] [--port 0] [--name TEXT] [--tls CERT KEY] [--ready FILE]
Writes its port to FILE once it accepts. Ends at SIGTERM.
"""

import argparse
import http.server
import itertools
import json
import os
import signal
import socket
import ssl
import sys
import threading
import time
import urllib.parse

BODY_LIMIT = 64 * 1024 * 1024

seen = itertools.count(1)
state = {"requests": 0}
connections = itertools.count(1)


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "echo"
    name = "echo"
    timeout = 120

    def setup(self):
        super().setup()
        self.connection_number = next(connections)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *args):
        pass

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = []
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                if size == 0:
                    break
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline() not in (b"\r\n", b"\n", b""):
                pass
            return b"".join(parts)
        return self.rfile.read(min(int(self.headers.get("Content-Length", 0)), BODY_LIMIT))

    def send(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204 and status != 304 and status >= 200:
            self.send_header("Content-Length", str(len(body)))
        else:
            body = b""
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_echo(self, status, body, headers=()):
        parts = urllib.parse.urlsplit(self.path)
        folded = {}
        for name, value in self.headers.items():
            folded.setdefault(name.lower(), []).append(value)
        seen_text = {
            "method": self.command,
            "uri": self.path,
            "path": parts.path,
            "args": dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
            "headers": {name: values[0] if len(values) == 1 else values for name, values in folded.items()},
            "body": body.decode("utf-8", "replace"),
            "connection": self.connection_number,
            "name": self.name,
            "port": self.server.server_address[1],
        }
        text = json.dumps(seen_text).encode()
        self.send(status, text, [("Content-Type", "application/json"), ("X-Served-By", self.name), *headers])

    def send_chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def send_chunked(self, media_type, chunks):
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            self.send_chunk(chunk)
        self.wfile.write(b"0\r\n\r\n")

    def drip(self, args):
        count, delay = int(args.get("count", 5)), float(args.get("delay", 0.05))
        for index in range(count):
            if index:
                time.sleep(delay)
            yield f"data: {index}\n\n".encode()

    def send_raw_and_close(self, data):
        self.wfile.write(data)
        self.wfile.flush()
        self.close_connection = True

    def answer(self):
        parts = urllib.parse.urlsplit(self.path)
        args = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        what, _, rest = parts.path.lstrip("/").partition("/")
        if what == "requests":
            self.read_body()
            self.send(200, json.dumps({"requests": state["requests"]}).encode(), [("Content-Type", "application/json")])
            return
        state["requests"] = next(seen)
        if what == "abort":
            self.close_connection = True
            return
        if what == "hang":
            self.close_connection = True
            while self.connection.recv(65536):
                pass
            return
        body = self.read_body()
        if what == "status":
            self.send_echo(int(rest.split("/")[0]), body)
        elif what == "delay":
            time.sleep(float(rest.split("/")[0]))
            self.send_echo(200, body)
        elif what == "stream":
            count = int(rest or 3)
            self.send_chunked("application/json", (json.dumps({"id": n}).encode() + b"\n" for n in range(count)))
        elif what == "drip":
            self.send_chunked("text/event-stream", self.drip(args))
        elif what == "bytes":
            self.send(200, b"x" * int(rest), [("Content-Type", "application/octet-stream")])
        elif what == "response-headers":
            self.send_echo(200, body, args.items())
        elif what == "close":
            self.send_raw_and_close(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nuntil the end")
        elif what == "cut":
            self.send_raw_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * int(rest))
        elif what == "garbage":
            self.send_raw_and_close(b"this is not HTTP\r\n\r\n")
        else:
            self.send_echo(200, body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = answer

    def __getattr__(self, name):
        # The base class looks up do_<METHOD>; every method is echoed.
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        # A peer that goes away mid-answer is what many specs provoke; anything else is worth seeing.
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError, ssl.SSLError)):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--name", default="echo")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--ready")
    options = parser.parse_args()

    Echo.name = options.name
    server = Server((options.host, options.port), Echo)
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*options.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start())
    if options.ready:
        with open(options.ready + ".new", "w", encoding="ascii") as ready:
            ready.write(f"{server.server_address[1]}\n")
        os.rename(options.ready + ".new", options.ready)
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
