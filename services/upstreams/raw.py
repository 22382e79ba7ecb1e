#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""raw.py -- an upstream that misbehaves on purpose, byte by byte.

The last path segment of a request names a case of CASES; its bytes are sent as they are. `/seen/NAME`
answers with what came in for NAME: the number of requests and the bytes of the last one, as JSON.
--ready FILE: writes the port there once it accepts.
"""
import argparse
import json
import os
import socket
import socketserver
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSE, PAUSE, HANG = object(), object(), object()

# What is sent for each case; CLOSE ends the connection, PAUSE waits 150 ms, HANG says no more.
CASES = {
    "ok": [OK],
    "garbage": [b"this is not HTTP\r\n\r\n"],
    "binary": [b"\x16\x03\x01\x00\xff\r\n\r\n"],
    "close": [CLOSE],
    "half-head": [b"HTTP/1.1 200 OK\r\nContent-", CLOSE],
    "both-framings": [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                      b"2\r\nok\r\n0\r\n\r\n"],
    "two-lengths": [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"],
    "bad-length": [b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"],
    "bare-lf": [b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"],
    "nul-in-field": [b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 2\r\n\r\nok"],
    "huge-head": [b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000 + b"\r\nContent-Length: 2\r\n\r\nok"],
    "switching": [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"],
    "interim": [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", PAUSE, OK],
    "interims": [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1000, OK],
    "short-length": [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", CLOSE],
    "short-chunked": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", CLOSE],
    "bad-chunk": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n"],
    "until-close": [b"HTTP/1.1 200 OK\r\n\r\nall ", PAUSE, b"of it", CLOSE],
    "chunked": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nall \r\n", PAUSE,
                b"5;x=y\r\nof it\r\n0\r\nTrailer: x\r\n\r\n"],
    "left-over": [OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen"],
    "hop-by-hop": [b"HTTP/1.1 200 OK\r\nConnection: close, X-Private\r\nX-Private: 1\r\nKeep-Alive: 5\r\n"
                   b"Proxy-Connection: x\r\nUpgrade: y\r\nX-Public: 2\r\nContent-Length: 2\r\n\r\nok", CLOSE],
    "no-content": [b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"],
    "old": [b"HTTP/1.0 200 OK\r\n\r\nold style", CLOSE],
    "slow-head": [HANG],
    "stall": [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", HANG],
    "early": [b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig", CLOSE],
}


class Seen:
    def __init__(self):
        self.lock, self.counts, self.last = threading.Lock(), {}, {}

    def note(self, name, head):
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + 1
            self.last[name] = head.decode("latin-1")

    def show(self, name):
        with self.lock:
            return json.dumps({"count": self.counts.get(name, 0), "last": self.last.get(name, "")})


SEEN = Seen()


class Handler(socketserver.BaseRequestHandler):
    def read_head(self, rest):
        while b"\r\n\r\n" not in rest:
            more = self.request.recv(65536)
            if not more:
                return None, b""
            rest += more
        head, rest = rest.split(b"\r\n\r\n", 1)
        return head, rest

    def read_body(self, head, rest):
        length = 0
        for line in head.split(b"\r\n")[1:]:
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":", 1)[1])
        while len(rest) < length:
            more = self.request.recv(65536)
            if not more:
                raise ConnectionError("the body was cut short")
            rest += more
        return rest[:length], rest[length:]

    def act(self, steps):
        """False: the connection is over."""
        for step in steps:
            if step is CLOSE:
                return False
            if step is PAUSE:
                time.sleep(0.15)
            elif step is HANG:
                self.request.settimeout(60)
                while self.request.recv(65536):
                    pass
                return False
            else:
                self.request.sendall(step)
        return True

    def handle(self):
        rest = b""
        try:
            while True:
                head, rest = self.read_head(rest)
                if head is None:
                    return
                path = head.split(b" ")[1].split(b"?")[0].decode()
                name = path.rsplit("/", 1)[1]
                if path.startswith("/seen/"):
                    body = SEEN.show(name).encode()
                    steps = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)]
                elif name == "early":
                    SEEN.note(name, head)
                    steps = CASES[name]
                else:
                    body, rest = self.read_body(head, rest)
                    SEEN.note(name, head + b"\r\n\r\n" + body)
                    steps = CASES.get(name, [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"])
                if not self.act(steps):
                    return
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ready", required=True)
    options = parser.parse_args()
    with Server((options.host, options.port), Handler) as server:
        with open(options.ready + ".new", "w", encoding="ascii") as file:
            file.write(str(server.server_address[1]))
        os.rename(options.ready + ".new", options.ready)
        server.serve_forever()


if __name__ == "__main__":
    socket.setdefaulttimeout(None)
    main()
