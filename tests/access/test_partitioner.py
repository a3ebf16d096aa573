"""A key's partition is the one that other clients choose, or events of one subject would part."""

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from access.partitioner import LONGEST, choose_partition


@given(st.binary(max_size=60) | st.binary(min_size=LONGEST, max_size=LONGEST + 2), st.integers(1, 50))
def test_it_is_aiokafkas(key: bytes, number: int):
    partitions = list(range(number))
    expected = DefaultPartitioner()(key, partitions, partitions)
    assert choose_partition(key, partitions, partitions) == expected
    assert choose_partition(key, partitions, partitions) == expected, "when it is remembered"


def test_a_record_without_a_key_goes_where_there_is_a_leader():
    assert {choose_partition(None, range(8), [2, 5]) for _ in range(100)} == {2, 5}
