"""Settings of {{ name }}, from the environment."""

import os
from typing import NamedTuple


class Settings(NamedTuple):
    """Where it listens, and where it keeps what it is told."""

    host: str = "127.0.0.1"
    port: int = {{ port }}
    database: str = "{{ package }}.db"


def from_environment(environment=os.environ):
    """Settings by the names {{ package|upper }}_HOST, {{ package|upper }}_PORT and {{ package|upper }}_DATABASE."""
    plain = Settings()
    return Settings(
        environment.get("{{ package|upper }}_HOST", plain.host),
        int(environment.get("{{ package|upper }}_PORT", plain.port)),
        environment.get("{{ package|upper }}_DATABASE", plain.database),
    )
