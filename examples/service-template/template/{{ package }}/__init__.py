"""{{ description }}."""

__version__ = {{ version|tojson }}
