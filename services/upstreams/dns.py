#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""dns -- a scripted name server for the specs: answers A, AAAA and SRV from a JSON file.

The file maps names to records and is read again for every question, so a spec changes the world by
writing it (to a new file that is renamed over the old one):

    {"preprocess": {"A": ["127.0.0.1", "127.0.0.2"], "ttl": 1},
     "_api._tcp.svc": {"SRV": [[0, 10, 9001, "preprocess"]], "ttl": 1},
     "broken": {"rcode": 2}, "slow": {"silent": true}}

A name that is not there gets NXDOMAIN. A name matches with its own spelling alone: search domains that
a resolver appends do not match. UDP only.

Usage: dns.py --zone FILE [--host 127.0.0.1] [--port 0] [--ready FILE]
"""

import argparse
import ipaddress
import json
import os
import signal
import socket
import struct
import sys

TYPES = {1: "A", 28: "AAAA", 33: "SRV"}
NXDOMAIN = 3


def encode_name(name):
    labels = [label.encode() for label in name.rstrip(".").split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def encode_data(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    priority, weight, port, target = value
    return struct.pack(">HHH", priority, weight, port) + encode_name(target)


def read_question(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("ascii", "replace"))
        at += 1 + query[at]
    (kind,) = struct.unpack_from(">H", query, at + 1)
    return ".".join(labels).lower(), kind, query[12:at + 5]


def answer(query, zone):
    """The reply to one query; None: stay silent."""
    name, kind, question = read_question(query)
    entry = zone.get(name)
    if entry and entry.get("silent"):
        return None
    rcode = entry.get("rcode", 0) if entry is not None else NXDOMAIN
    records = entry.get(TYPES.get(kind, ""), []) if entry else []
    ttl = entry.get("ttl", 1) if entry else 0
    head = query[:2] + struct.pack(">HHHHH", 0x8580 | rcode, 1, len(records), 0, 0)
    body = b""
    for record in records:
        data = encode_data(TYPES[kind], record)
        body += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data
    return head + question + body


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--zone", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ready")
    options = parser.parse_args()

    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((options.host, options.port))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if options.ready:
        with open(options.ready + ".new", "w", encoding="ascii") as ready:
            ready.write(f"{server.getsockname()[1]}\n")
        os.rename(options.ready + ".new", options.ready)
    while True:
        query, client = server.recvfrom(4096)
        try:
            with open(options.zone, encoding="utf-8") as zone:
                reply = answer(query, json.load(zone))
        except (IndexError, struct.error):
            continue
        if reply is not None:
            server.sendto(reply, client)


if __name__ == "__main__":
    main()
