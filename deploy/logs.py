"""Structured logs for every process: one JSON object a line on stderr, or readable text on a terminal."""

import logging
import sys
import time

import structlog

# Without the values of variables: those are payloads and passwords, and take seconds to write out.
TRACEBACKS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)


class Sparing(logging.Filter):
    """Passes the same message of a logger once in ``PAUSE`` seconds.

    A client whose broker is away says so twenty times a second, for as long as it lasts.
    """

    PAUSE = 10.0  # seconds

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether ``record`` is news. Messages are told apart by their text before its values."""
        key = (record.name, str(record.msg)[:80])
        now = time.monotonic()
        if now - self._passed.get(key, -self.PAUSE) < self.PAUSE:
            return False
        self._passed[key] = now
        return True


def configure(*, level: int = logging.INFO) -> None:
    """Set up structlog, and route the libraries' own warnings through it."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    rendering: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if sys.stderr.isatty()
        else [structlog.processors.ExceptionRenderer(TRACEBACKS), structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    for noisy in ("aiokafka", "aiokafka.consumer.group_coordinator", "aiokafka.consumer.fetcher"):
        logging.getLogger(noisy).addFilter(Sparing())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
