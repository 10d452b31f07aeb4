"""The engine: Faust's shell, our data plane (DESIGN §5).

What a reader finds where, in the order in which a record meets it:

| module | idea |
|---|---|
| `kafka` | settings of the connection, and the properties of each kind of client |
| `shell`, `transport`, `worker` | the Faust app, its transport, the process |
| `first_offsets`, `partitioning`, `admin` | what must hold before anything is consumed |
| `group_offsets`, `watermarks`, `patience` | what the broker knows, asked from outside a group |
| `lane` | one consumed topic and how it is handled |
| `poller`, `rebalance`, `ownership`, `membership` | the thread that owns a consumer |
| `gather`, `slots`, `idle` | batches: their size, their number, and time without records |
| `loading`, `setbacks` | state for gained partitions, in a side thread; resets and their limit |
| `batch` | what is handed over |
| `job`, `compute`, `rows`, `timers`, `job_handler` | a pure job with a table, driven by batches |
| `publication`, `transactional`, `at_least_once` | how results reach Kafka |
| `open_transactions`, `restore` | a changelog becomes a table again |
| `producer`, `statistics` | the plain producer; what is counted |

The engine reads neither the environment nor the program's settings: everything is a parameter.
"""
