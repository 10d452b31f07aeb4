"""Replays, many of them: planned, run and reported by the real commands, judged by the vendors."""
