"""Keeping entities in SQLite."""

import pathlib
import sqlite3
import threading

SCHEMA = pathlib.Path(__file__).with_name("schema.sql")


class Database:
    """One file; many threads take turns."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.connection = sqlite3.connect(path, check_same_thread=False)
        self.connection.row_factory = sqlite3.Row
        with self.connection:
            self.connection.executescript(SCHEMA.read_text())

    def close(self):
        self.connection.close()

    def healthy(self):
        try:
            with self.lock:
                self.connection.execute("SELECT name FROM sqlite_master").fetchone()
        except sqlite3.Error:
            return False
        return True

    def create(self, entity, values):
        names = ", ".join(field.name for field in entity.fields)
        places = ", ".join("?" for _ in entity.fields)
        with self.lock, self.connection:
            statement = f"INSERT INTO {entity.name} ({names}) VALUES ({places})"
            return self.connection.execute(statement, values).lastrowid

    def list(self, entity):
        with self.lock:
            rows = self.connection.execute(f"SELECT * FROM {entity.name} ORDER BY id").fetchall()
        return [shown(entity, row) for row in rows]

    def get(self, entity, number):
        with self.lock:
            row = self.connection.execute(f"SELECT * FROM {entity.name} WHERE id = ?", (number,)).fetchone()
        return None if row is None else shown(entity, row)

    def delete(self, entity, number):
        with self.lock, self.connection:
            return self.connection.execute(f"DELETE FROM {entity.name} WHERE id = ?", (number,)).rowcount == 1


def shown(entity, row):
    """A row as it is sent."""
    values = {"id": row["id"]}
    for field in entity.fields:
        value = row[field.name]
        values[field.name] = bool(value) if field.type is bool and value is not None else value
    return values
