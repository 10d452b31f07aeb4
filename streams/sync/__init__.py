"""What Ordergroove has, read through its REST API and written to the source topic as it stands.

`window` says since when, `lists` what is asked for, `reading` asks for it page by page, `telling`
makes records of the pages, and `run` writes them: records and how far the reading has come in one
transaction, so that a sync which is killed goes on where its last transaction ended. `standing` is
what the control topic remembers, `marks` what ends a first sync, `forecast` how long it will last.
"""
