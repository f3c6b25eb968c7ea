# SPDX-License-Identifier: LGPL-2.1-or-later
"""GIO's asynchronous calls with "await", also for a PyGObject that cannot do that itself.

NOTES: No thread, and no polling. An asyncio event loop waits in one place only: its selector. The one here waits by
iterating GLib's main context, in which asyncio's file descriptors and its next deadline are sources among the others.
Each dispatch ends the wait, so that asyncio gets to run what a GLib callback has made ready.

PyGObject brings all this since 3.50 (gi.events): an asynchronous call without a callback gives something to await, under
its own event loop. There run() runs that loop, for the sake of GIO's other calls. Those of this library are awaited our
way under that loop, too: what PyGObject 3.50 gives to await cannot be cancelled by asyncio (its cancel() does not take the
message that a task's cancel() hands on), so that a timeout would never end.
"""

import asyncio
import functools
import math
import selectors

import gi
from gi.repository import Gio, GLib

PYGOBJECT_HAS_LOOP = gi.version_info >= (3, 50)


class MainContextSelector(selectors.DefaultSelector):
    """Waits by iterating the main context that was thread-default when it was made.

    The system's selector (epoll, kqueue) is a file descriptor itself, readable when one of those in it is ready.
    """

    def __init__(self):
        super().__init__()
        self.context = GLib.MainContext.ref_thread_default()
        self.source = GLib.unix_fd_source_new(self.fileno(), GLib.IOCondition.IN)
        self.source.set_callback(lambda *_: GLib.SOURCE_CONTINUE)
        self.source.attach(self.context)

    def select(self, timeout=None):
        """One iteration, so that what it dispatched can go on."""
        deadline = None
        if timeout is not None and timeout > 0:
            deadline = GLib.timeout_source_new(math.ceil(timeout * 1000))
            deadline.set_callback(lambda *_: GLib.SOURCE_REMOVE)
            deadline.attach(self.context)
        try:
            self.context.iteration(timeout is None or timeout > 0)
        finally:
            if deadline is not None:
                deadline.destroy()
        return super().select(0)

    def close(self):
        self.source.destroy()
        super().close()


class MainContextEventLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop that runs GLib's main context while it waits."""

    def __init__(self):
        super().__init__(MainContextSelector())


def new_event_loop():
    if PYGOBJECT_HAS_LOOP:
        from gi.events import GLibEventLoopPolicy

        return GLibEventLoopPolicy().get_event_loop()
    return MainContextEventLoop()


def run(coroutine):
    """Runs a coroutine to its end, and GLib's main context with it; what asyncio.run() is without GLib."""
    loop = new_event_loop()
    try:
        asyncio.set_event_loop(loop)
        try:
            return loop.run_until_complete(coroutine)
        finally:
            finish_tasks(loop)
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def finish_tasks(loop):
    """Tasks that outlive the coroutine are cancelled, as asyncio.run() does it."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    for task in tasks:
        if not task.cancelled() and task.exception() is not None:
            loop.call_exception_handler({"message": "A task failed while the loop ended", "task": task,
                                         "exception": task.exception()})
    loop.run_until_complete(loop.shutdown_asyncgens())


def check_loop(loop):
    """Awaiting under a loop that never runs the main context would never end."""
    if isinstance(loop, MainContextEventLoop) or "GLib" in type(loop).__name__:
        return
    raise RuntimeError("This asyncio event loop does not run GLib's main context, so the call would never end; "
                       "run the program with GTlsSession.run() instead of asyncio.run()")


def start(begin, finish, cancellable):
    """The future of a call. begin is given a callback, finish a source and a result. Cancelling the future cancels the
    call."""
    loop = asyncio.get_running_loop()
    check_loop(loop)
    future = loop.create_future()

    # begin has what the call was given. PyGObject passes bytes as they lie in memory, so they stay until it is done.
    def on_ready(source, result, *_, kept=begin):
        try:
            value = finish(source, result)
        except Exception as error:  # whatever it is, it is for who awaits
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(value)

    def on_done(future):
        if future.cancelled():
            cancellable.cancel()

    begin(on_ready)
    future.add_done_callback(on_done)
    return future


def names_before_callback(info):
    names = [argument.get_name() for argument in info.get_arguments()]
    return names[:names.index("callback")]


def split_arguments(info, arguments, keywords):
    """The arguments that stand before the callback, with a cancellable for sure; None if there is a callback."""
    before = names_before_callback(info)
    if len(arguments) > len(before) or "callback" in keywords:
        return None
    given = dict(zip(before, arguments), **keywords)
    if given.get("cancellable") is None:
        given["cancellable"] = Gio.Cancellable()
    missing = [name for name in before if name not in given]
    unknown = [name for name in given if name not in before]
    if unknown:
        raise TypeError(f"{info.get_name()}() has no argument {', '.join(unknown)}")
    if missing:
        raise TypeError(f"{info.get_name()}() is called without {', '.join(missing)}")
    return [given[name] for name in before]


def is_running():
    return asyncio._get_running_loop() is not None


def make_awaitable(info, begin, finish):
    """An asynchronous call that gives something to await, if a coroutine calls it without a callback."""

    @functools.wraps(begin)
    def call(*arguments, **keywords):
        split = split_arguments(info, arguments, keywords) if is_running() else None
        if split is None:
            return begin(*arguments, **keywords)
        return start(lambda on_ready: begin(*split, on_ready), finish, split[names_before_callback(info).index("cancellable")])

    return call


def call_async(function, *arguments, finish=None):
    """Calls any asynchronous method of GIO's that ends with a cancellable and a callback; gives something to await.

    await call_async(stream.read_bytes_async, 4096, GLib.PRIORITY_DEFAULT)

    The callback is left out, and the cancellable may be. finish is the name of the method that ends the call, where it
    is not the one that every binding expects.
    """
    arguments = list(arguments)
    if arguments and arguments[-1] is None:
        arguments.pop()
    if not arguments or not isinstance(arguments[-1], Gio.Cancellable):
        arguments.append(Gio.Cancellable())
    finish = finish or function.__name__.removesuffix("_async") + "_finish"
    return start(lambda on_ready: function(*arguments, on_ready),
                 lambda source, result: getattr(source, finish)(result), arguments[-1])
