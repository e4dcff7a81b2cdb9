"""One virtual loop runs at a time, whatever thread it is in.

JupyterLab can answer a slider in another thread than a cell. Both may run a world, and the clock
that fakeredis sees is one for the whole process: side by side, each would get the other's times.
So one waits for the other. Left out: fairness, for there are two of them at most.
"""

import threading

__all__ = ["TURN"]

TURN = threading.RLock()  # the same thread may take it again: a loop within a loop
