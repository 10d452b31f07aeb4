"""What operators decide about connections while they run, and how a worker hears of it.

Decisions are records of the compacted control topic (`records`), written by the command line
(`topic`) and followed by every worker (`follower`), so they survive restarts; `connections` keeps a
handler to them, and to the credentials of a file that changes (`credentials`). `standing` and
`forecast` read back what operators want to know before they decide.
"""
