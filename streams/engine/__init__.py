"""The engine: Faust's shell, our data plane (DESIGN §5).

What a reader finds where, in the order in which a record meets it:

| module | idea |
|---|---|
| `kafka` | settings of the connection, and the properties of each kind of client |
| `shell`, `transport`, `worker` | the Faust app, its transport, the process |
| `first_offsets`, `partitioning`, `admin` | what must hold before anything is consumed |
| `growth`, `retention` | … and while it is: a topic's number of partitions; how long it is kept |
| `group_offsets`, `watermarks`, `patience` | what the broker knows, asked from outside a group |
| `lane` | one consumed topic and how it is handled |
| `poller`, `rebalance`, `ownership`, `membership` | the thread that owns a consumer |
| `gather`, `slots`, `idle` | batches: their size, their number, and time without records |
| `left_to_do` | what is not yet processed |
| `loading`, `setbacks` | state for gained partitions, in a side thread; resets and their limit |
| `batch` | what is handed over |
| `job`, `compute`, `rows`, `timers`, `job_handler` | a pure job with a table, driven by batches |
| `publication`, `transactional`, `at_least_once`, `hanging` | how results reach Kafka |
| `publishing` | which of the two ways it is |
| `open_transactions`, `restore` | a changelog becomes a table again |
| `state` | where rows are: in memory, or on disk |
| `producer`, `statistics` | the plain producer; what is counted |
| `watchdog`, `underway`, `away`, `client_log` | does it move; does the broker answer |

`README.md` beside this file says what happens when.

The engine reads neither the environment nor the program's settings: everything is a parameter.
"""
