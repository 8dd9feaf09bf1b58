"""How what a test logs is written where nothing under test has decided about it."""

import structlog


def logs_as_ever() -> None:
    """As structlog does by itself, but for traces: drawn with every variable, one takes half a second."""
    structlog.reset_defaults()
    *before, _drawn = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, plain])
