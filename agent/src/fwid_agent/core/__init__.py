"""Pure stages from packets to verdict: no I/O, no globals, time is an argument."""
