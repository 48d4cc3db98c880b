#!/usr/bin/env python3
"""metadata_responder.py ITEMS LOG: answers one connection on standard input and output.

ITEMS is a JSON file {path: text}; LOG gets "connect" and one line a path. The text null means: say
nothing and keep the connection open."""
import json
import sys


def main():
    with open(sys.argv[1]) as f:
        items = json.load(f)
    with open(sys.argv[2], "a", buffering=1) as log:
        log.write("connect\n")
        while line := sys.stdin.buffer.readline():
            path = line.split()[1].decode()
            while sys.stdin.buffer.readline().strip():
                pass
            log.write(path + "\n")
            body = items.get(path, "not found")
            if body is None:
                sys.stdin.buffer.read()
                return
            status = "200 OK" if path in items else "404 Not Found"
            data = body.encode()
            head = f"HTTP/1.0 {status}\r\nConnection: keep-alive\r\nContent-Length: {len(data)}\r\n\r\n"
            sys.stdout.buffer.write(head.encode() + data)
            sys.stdout.buffer.flush()


main()
