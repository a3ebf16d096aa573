"""RocksDB as the store of Faust's tables, in memory that does not grow with what went through it.

Every table has a database for each partition: 48 of them, when a worker has all of 8 partitions. As stock
Faust opens them, each may collect 3 x 64 MiB of writes before it puts any on disk, and cache 2 GiB of what it
reads: a worker would grow with every event until all of that is full. Here they share one budget of each.
"""

from functools import cache
from pathlib import Path

import rocksdict
from faust import stores
from faust.stores import rocksdb

# Bytes of writes that are not in RocksDB's tables yet, of all databases. Each gets its share: of one budget
# that is filled together, whoever writes next would have to write out, be it a single value.
WRITES = 24 * 2**20
LEAST, MOST = 2**16, 2**23  # of one database: the least that RocksDB takes, and as much as is of use
READS = 32 * 2**20  # bytes of blocks, indexes and filters that were read, of all databases
FILTER = 10  # bits of a key; a deployment that is not known yet is then looked for on disk once in a hundred
LOGS = 2  # RocksDB's own, about its doings: of this start and the last; stock, all are kept


def install() -> None:
    """Have Faust use this store for ``rocksdb://``."""
    stores.STORES.aliases["rocksdb"] = f"{__name__}:Store"


@cache
def reads() -> rocksdict.Cache:
    """The cache of all databases of this process."""
    return rocksdict.Cache(READS)


def share(databases: int) -> int:
    """Bytes of writes that each of so many databases may collect in one of its buffers."""
    return min(max(WRITES // databases, LEAST), MOST)


class Options(rocksdb.RocksDBOptions):
    """How a database is opened."""

    def as_options(self) -> rocksdict.Options:
        """Faust's options, with our limits."""
        blocks = rocksdict.BlockBasedOptions()
        blocks.set_block_cache(reads())
        blocks.set_cache_index_and_filter_blocks(True)
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
        blocks.set_bloom_filter(FILTER, block_based=False)
        options = super().as_options()
        options.set_block_based_table_factory(blocks)
        options.set_keep_log_file_num(LOGS)
        options.set_stats_dump_period_sec(0)  # into the log, every ten minutes, for each database
        return options

    def open(self, path: Path, *, read_only: bool = False) -> rocksdict.Rdict:  # noqa: ARG002 - Faust's
        """Open the database with these options.

        Opened as stock Faust does, one that exists already keeps the options that it was made with.
        """
        options = self.as_options()
        database = rocksdict.Rdict(str(path), options=options, column_families={"default": options})
        database.set_read_options(rocksdict.ReadOptions())
        return database


class Store(rocksdb.Store):
    """The databases of one table."""

    def _open_for_partition(self, partition: int) -> rocksdict.Rdict:
        databases = len(self.app.tables) * (self.table.partitions or 1)
        return Options(write_buffer_size=share(databases)).open(self.partition_path(partition))
