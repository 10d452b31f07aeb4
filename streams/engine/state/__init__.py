"""Where the rows of a lane's partitions are kept: in memory, or on disk beside their positions.

| module | idea |
|---|---|
| `store` | what a store does, whichever it is |
| `memory` | a dictionary a partition, restored as a whole |
| `rocksdb` | on disk; a restart reads the changelog's tail |
| `checkpoint`, `changelog` | whether what is on disk is believed |
| `local_rows`, `local_table` | one partition on disk, and what is not committed yet above it |
| `local_state`, `opening`, `write_batch`, `options` | the database |

Neither store is believed: the changelog is the table, a store only saves reading it.
"""
