"""What a program still has to do when its last resource is declared: handlers, a thread, a file that nobody closes."""

import atexit
import threading
import time
from pathlib import Path

import kit


def later() -> None:
    """Outlives the program."""
    time.sleep(0.3)
    print("from a thread")


left_open = Path("left-open.txt").open("w")  # noqa: SIM115 - nobody closes it, that is the point
left_open.write("all of it")
kit.__dict__["left_open"] = left_open  # an imported module lives as long as the process
atexit.register(lambda: print("from a handler"))
threading.Thread(target=later).start()
