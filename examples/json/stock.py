#!/usr/bin/env python3
"""A client without a library: one JSON request a connection, any language.

Usage: stock.py SOCKET      (the path that `cpan-bridge status` shows; start the daemon with `cpan-bridge start`)
"""

import json
import socket
import sys


def call(path, module, function, params):
    """One request: connect, send, close the write side, read the reply to its end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(10)
        connection.connect(path)
        request = {"module": module, "function": function, "params": params}
        connection.sendall(json.dumps(request).encode())
        connection.shutdown(socket.SHUT_WR)
        chunks = []
        while chunk := connection.recv(65536):
            chunks.append(chunk)
    reply = json.loads(b"".join(chunks))
    if not reply["success"]:
        sys.exit(f"{module}.{function}: {reply['error']}")
    return reply["result"]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)

    def database(function, **params):
        return call(sys.argv[1], "database", function, params)

    # The connection stays open in the daemon between the requests; its id is unguessable and belongs to this user.
    opened = database("connect", dsn="dbi:SQLite:dbname=:memory:", username="", password="", attributes={})
    here = {"connection_id": opened["connection_id"]}

    database("do_statement", sql="CREATE TABLE stock (part TEXT, pieces INTEGER)", **here)
    database("begin_transaction", **here)
    insert = database("prepare", sql="INSERT INTO stock VALUES (?, ?)", **here)
    for part, pieces in [("bolt", 1200), ("nut", 1150), ("washer", 30)]:
        database("execute_statement", statement_id=insert["statement_id"], bind_values=[part, pieces], **here)
    database("commit", **here)

    select = database("prepare", sql="SELECT part, pieces FROM stock WHERE pieces > ? + 0 ORDER BY part", **here)
    database("execute_statement", statement_id=select["statement_id"], bind_values=[100], **here)
    for row in database("fetch_all", statement_id=select["statement_id"], format="hash", **here)["rows"]:
        print(f"{row['part']:8}{row['pieces']:6}")
    database("disconnect", **here)


if __name__ == "__main__":
    main()
