"""How RocksDB is set up for rows of about a kilobyte, read by key, in little memory."""

from __future__ import annotations

from rocksdict import (
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    WriteBufferManager,
)

__all__ = ["rocks_options"]

_BLOCK_BYTES = 4 << 10
_BLOOM_BITS = 10
"""A key: one lookup in a hundred for a row that is not there reads a block in vain."""
_OPEN_FILES = 512
_LOG_BYTES = 1 << 20


def rocks_options(cache_mib: int) -> Options:
    """Options that keep to this much memory, whatever the size of the state.

    One cache holds blocks, indexes, filters and what is not on disk yet. Indexes and filters come
    in small pieces: as a whole, the one of a large file would push all else out of the cache.
    """
    cache = Cache(cache_mib << 20)
    table = BlockBasedOptions()
    table.set_block_cache(cache)
    table.set_block_size(_BLOCK_BYTES)
    table.set_format_version(5)
    table.set_bloom_filter(_BLOOM_BITS, False)
    table.set_index_type(BlockBasedIndexType.two_level_index_search())
    table.set_partition_filters(True)
    table.set_metadata_block_size(_BLOCK_BYTES)
    table.set_cache_index_and_filter_blocks(True)
    table.set_pin_top_level_index_and_filter(True)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(cache_mib << 18)
    options.set_max_write_buffer_number(3)
    options.set_write_buffer_manager(
        WriteBufferManager.new_write_buffer_manager_with_cache(cache_mib << 19, False, cache)
    )
    options.set_compression_type(DBCompressionType.lz4())
    options.set_level_compaction_dynamic_level_bytes(True)
    options.set_wal_recovery_mode(DBRecoveryMode.point_in_time())
    options.set_max_background_jobs(2)
    options.set_max_open_files(_OPEN_FILES)
    options.set_max_log_file_size(_LOG_BYTES)
    options.set_keep_log_file_num(2)
    options.set_stats_dump_period_sec(0)
    return options
