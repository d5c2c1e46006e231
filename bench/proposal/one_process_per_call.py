#!/usr/bin/env python3
"""The starting point of bench/run proposal: one Python process per call, state in files.

Reads one JSON request from standard input, {"module": "database", "function": ..., "params": {...}}, and writes one
JSON reply. A process keeps nothing, so a connection is a file in $BRIDGE_STATE that says what to open, and a prepared
statement is another one; each call locks the file it needs, reads it, opens the database anew, does its work, and
writes back what the next call must know (a cursor's remaining rows). Nothing here is slowed down on purpose: modules
are imported only when needed and SQLite comes from the standard library.
"""

import fcntl
import json
import os
import sys

STATE = os.environ["BRIDGE_STATE"]


class State:
    """A JSON file, locked while it is in use; saved at the end when it was changed."""

    def __init__(self, name, create=None):
        self.path = os.path.join(STATE, name)
        if create is not None:
            with open(self.path, "x", encoding="utf-8") as file:
                json.dump(create, file)

    def __enter__(self):
        self.file = open(self.path, "r+", encoding="utf-8")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.data = json.load(self.file)
        self.before = json.dumps(self.data)
        return self.data

    def __exit__(self, kind, *_):
        text = json.dumps(self.data)
        if kind is None and text != self.before:
            self.file.seek(0)
            self.file.truncate()
            self.file.write(text)
        self.file.close()


def new_id(prefix):
    return prefix + os.urandom(8).hex()


def open_database(connection):
    import sqlite3

    return sqlite3.connect(connection["database"], isolation_level=None)


def connect(params):
    database = params["dsn"].split("dbname=", 1)[1]
    name = new_id("c")
    State(name, {"database": database})
    return {"success": 1, "connection_id": name, "connected": 1}


def prepare(params):
    name = new_id("s")
    State(name, {"sql": params["sql"], "rows": []})
    return {"success": 1, "statement_id": name}


def execute_statement(params):
    with State(params["connection_id"]) as connection, State(params["statement_id"]) as statement:
        handle = open_database(connection)
        cursor = handle.execute(statement["sql"], params.get("bind_values", []))
        statement["rows"] = cursor.fetchall()
        names = [column[0] for column in cursor.description or []]
        handle.close()
    return {"success": 1, "rows_affected": cursor.rowcount, "column_names": names}


def fetch_row(params):
    with State(params["statement_id"]) as statement:
        row = statement["rows"].pop(0) if statement["rows"] else None
    return {"success": 1, "row": row}


def disconnect(params):
    os.unlink(os.path.join(STATE, params["connection_id"]))
    return {"success": 1}


def main():
    functions = {"connect": connect, "prepare": prepare, "execute_statement": execute_statement,
                 "fetch_row": fetch_row, "disconnect": disconnect}
    request = json.load(sys.stdin)
    try:
        reply = {"success": True, "result": functions[request["function"]](request["params"])}
    except Exception as error:  # what a helper raises is the caller's to read
        reply = {"success": False, "error": f"{type(error).__name__}: {error}"}
    json.dump(reply, sys.stdout)


main()
