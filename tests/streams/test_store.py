"""The limits of the tables' memory, as RocksDB itself has them in force."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from faust.stores import rocksdb
from faust.types import TP

from streams.app import create_app
from streams.consumer import App
from streams.frontier import Frontier
from streams.settings import Settings
from streams.store import READS, WRITES, Store, reads, share
from streams.tables import Table

PARTITIONS = 4


@pytest.fixture
async def table(tmp_path: Path) -> Table:
    """One of a worker's tables, which are as many as a worker's."""
    settings = Settings(kafka="127.0.0.1:9", state_dir=tmp_path, partitions=PARTITIONS)
    app: App = create_app(settings, 1, Frontier({}))
    names = ("placed", "day", "week", "month", "year", "objects")
    tables = [app.Table(name, partitions=PARTITIONS) for name in names]
    app.conf.tabledir.mkdir(parents=True)
    return tables[0]


def log_of(store: Store, partition: int) -> str:
    """What RocksDB says of the database that is open."""
    return (store.partition_path(partition) / "LOG").read_text()


def test_databases_share_one_cache_and_have_a_part_of_the_writes_each(table: Table):
    store = table.data
    assert isinstance(store, Store)
    databases = [store._db_for_partition(partition) for partition in range(2)]
    assert {each.property_int_value("rocksdb.block-cache-capacity") for each in databases} == {READS}
    assert len(set(re.findall(r"block_cache: (0x\w+)", log_of(store, 0) + log_of(store, 1)))) == 1
    told = re.findall(r"Options.write_buffer_size: (\d+)", log_of(store, 0))
    assert [int(size) for size in told] == [share(6 * PARTITIONS)] == [WRITES // 24]


def test_what_stock_faust_made_gets_the_limits_as_well(table: Table):
    store = table.data
    stock = rocksdb.RocksDBOptions().open(store.partition_path(0))
    stock.put(b'"known"', b"1")
    stock.close()
    database = store._db_for_partition(0)
    assert database.get(b'"known"') == b"1"
    assert database.property_int_value("rocksdb.block-cache-capacity") == READS
    assert f"Options.write_buffer_size: {share(6 * PARTITIONS)}" in log_of(store, 0)


def test_more_is_written_than_is_kept_in_memory(table: Table):
    store, part = table.data, share(6 * PARTITIONS)
    for number in range(64):
        store.apply_changelog_batch([written(0, number, bytes(part // 8))], None, None)
    database = store._db_for_partition(0)
    # 8 parts were written; one buffer is filled while others are written out.
    assert database.property_int_value("rocksdb.size-all-mem-tables") < 4 * part
    assert all(len(database.get(b"%d" % number)) == part // 8 for number in range(64))
    assert reads().get_usage() <= READS


def written(partition: int, number: int, value: bytes) -> SimpleNamespace:
    """A change as recovery hands it over."""
    tp = TP("t", partition)
    return SimpleNamespace(
        message=SimpleNamespace(tp=tp, partition=partition, offset=number, key=b"%d" % number, value=value)
    )


def test_no_database_gets_less_than_rocksdb_takes_nor_more_than_is_of_use():
    assert (share(1), share(48), share(6144)) == (8 * 2**20, WRITES // 48, 2**16)
