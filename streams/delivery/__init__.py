"""5 deliver: the only code that talks to vendors; at least once, in order per customer.

A delivery record comes in at `handler`, waits in its customer's queue (`order`), is rendered
(`rendering`) without a profile that the vendor has a newer one of (`profiles`), and sent when the
account's limits allow (`sender`, `limits`, `attempts`; `http` on `sockets`). What follows from the
answer (`verdicts`, `retry`) ends, if the breaker lets it (`books`, `guard`), in an outcome and
perhaps a dead letter (`outcomes`, `dead_letters`, `publisher`). The offset moves on when the broker
has acknowledged them (`ledger`); a restart reads them back (`recall`). `wiring` puts a connection's
parts together, and tells its `owner`, the handler, what happens.
"""
