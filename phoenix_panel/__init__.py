"""Phoenix Panel put together: settings, URLs, middleware, checks, commands. Nothing imports it."""

__version__ = "0.1.0"
