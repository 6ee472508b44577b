"""Events: who wants to know, and how he is told."""

import signal
import sys

event_callbacks = []
shutdown_callbacks = []
signal_callbacks = []


def publish(name, event, callbacks):
    """Tell each in turn; what one returns is there for those after him."""
    for callback in tuple(callbacks):
        try:
            more = callback(name, **event)
        except RequestTimeout:
            raise  # the request's time is up, not the subscriber's fault
        except BaseException as error:
            say(LOG_ERR, describe(f"ETCL0333: a subscriber of {name} failed",
                                  without_us(error)))
            continue
        if isinstance(more, dict):
            event.update(more)
    return event


def subscribe_events(callback):
    """callback(name, **event) from now on, for every event."""
    if not config["service"]:
        event_callbacks.append(callback)
    return callback


def subscribe_shutdown(callback):
    """The same for process_stopping alone."""
    if not config["service"]:
        shutdown_callbacks.append(callback)
    return callback


def subscribe_signals(callback):
    """The same for process_signal alone: daemon processes have it."""
    if not config["process_group"]:
        stack = "".join(traceback.format_stack(sys._getframe(1), 3)).rstrip()
        report(LOG_INFO, "ETCL0334: subscribe_signals() has no effect in an "
               f"Apache process: its signals are Apache's\n{stack}")
    elif not config["service"]:
        signal_callbacks.append(callback)
    return callback


def tell_signal(number):
    publish("process_signal", {"signame": signal.Signals(number).name,
                               "signum": number},
            event_callbacks + signal_callbacks)


def tell_stopping(reason):
    publish("process_stopping", {"shutdown_reason": reason},
            event_callbacks + shutdown_callbacks)
