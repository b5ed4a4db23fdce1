"""A foreground flow beside a daemon on one narrow link."""
