"""Faust's recovery of tables, with a cheaper look at how much is left.

Stock Faust asks after each changelog record whether all are there, and adds up what is left of every
partition of every table for it: a sixth of the time that a start on a fresh disk takes. While records wait to
be taken over, there is no need to.
"""

from faust.tables import manager, recovery


class Recovery(recovery.Recovery):
    """The recovery of all tables of a worker."""

    def need_recovery(self) -> bool:
        """Whether records of a changelog are still to be taken over."""
        return not self.tables.changelog_queue.empty() or super().need_recovery()


class TableManager(manager.TableManager):
    """Faust's manager of tables, with this recovery."""

    _recovery: recovery.Recovery | None

    @property
    def recovery(self) -> recovery.Recovery:
        """The one recovery of this manager."""
        if self._recovery is None:
            self._recovery = Recovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
