"""Locks that the child of a fork finds open."""

import os
import threading

_count = 0  # forks between this process and the first


def _after_fork():
    global _count
    _count += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Lock:
    """As threading.RLock. The thread that holds it while another one forks is not there in the child, and would
    hold it for ever: so the child has another one. What is done under it must leave nothing half done that
    the child would trip over."""

    __slots__ = ("_by_fork", "_held")

    def __init__(self):
        self._by_fork = {}
        self._held = []  # the locks that were taken and not given back, the last one last

    def __enter__(self):
        lock = self._by_fork.get(_count) or self._by_fork.setdefault(_count, threading.RLock())
        lock.acquire()
        self._held.append(lock)

    def __exit__(self, *error):
        self._held.pop().release()  # the thread that forks may have been inside
