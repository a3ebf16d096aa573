"""Faust tables whose changelog writes can be awaited.

Stock Faust sends changelog records in the background and only logs a failure; a state that did not reach its
changelog is gone with the disk. Here each send is kept until the agent has awaited it.
"""

from typing import Any

from faust.tables.table import Table as FaustTable


class Table(FaustTable):
    """A table that remembers its unconfirmed changelog sends."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pending: list[Any] = []

    def send_changelog(self, *args: Any, **options: Any) -> Any:
        """Send a change to the changelog topic and keep its confirmation."""
        confirmation = super().send_changelog(*args, **options)
        self._pending.append(confirmation)
        return confirmation

    def take_pending(self) -> list[Any]:
        """The unconfirmed sends, which are the caller's to await from now on."""
        pending, self._pending = self._pending, []
        return pending
