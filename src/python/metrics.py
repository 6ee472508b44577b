"""request_metrics(), process_metrics(): what was measured, as dicts."""

import os
import resource
import time

MEASURED = {"at": time.time(), "user": 0.0, "system": 0.0}
PAGE = resource.getpagesize()


def start_recording_metrics():
    """From now on requests are measured."""
    start_recording()
    cpu_since(MEASURED)


def cpu_since(last):
    """User and system seconds of the process since `last`, renewed."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    user, system = usage.ru_utime, usage.ru_stime
    spent = user - last["user"], system - last["system"]
    last.update(user=user, system=system)
    return spent


def memory():
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            rss = int(file.read().split()[1]) * PAGE
    except (OSError, ValueError, IndexError):
        rss = 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"memory_rss": rss, "memory_max_rss": max(most, rss)}


def phase_entries(phases):
    embedded = not config["process_group"]
    for name, count, total, least, most, buckets in phases:
        if embedded and name in ("queue", "daemon"):
            yield f"{name}_time", None
        else:
            yield f"{name}_time", total / 1e6 / count if count else 0.0
        yield f"{name}_time_min_us", least
        yield f"{name}_time_max_us", most
        yield f"{name}_time_buckets", buckets


def thread_entries(slots, now):
    threads = list_threads()
    running = {number: max(0.0, now - since / 1e6)
               for number, _, _, since in threads if since}
    completed = [done for done, _, _, _ in slots]
    return {
        "request_threads_maximum": config["threads"],
        "request_threads_started": sum(1 for row in threads if row[1]),
        "request_threads_active": len(running),
        "request_threads_completed": completed,
        "request_threads_buckets": completed,
        "request_threads_busy_time": [row[1] / 1e6 for row in slots],
        "request_threads_cpu_time": [row[2] / 1e6 for row in slots],
        "request_threads_current_elapsed": [
            running.get(number, 0.0) for number in range(len(slots))],
        "request_threads_max_duration": [row[3] / 1e6 for row in slots],
    }


def cpu_entries(period):
    user, system = cpu_since(MEASURED)
    user, system = user / period, system / period
    both = user + system
    return {"cpu_user_utilization": user, "cpu_system_utilization": system,
            "cpu_utilization": both, "cpu_user_time": user,
            "cpu_system_time": system, "cpu_time": both}


def request_metrics():
    """Of the time since the last call; None before recording started."""
    slots = 1 + max([config["threads"], *(row[0] for row in list_threads())])
    sums = take_sums(slots)
    if sums is None:
        return None
    since, classes, reads, taken, writes, sent, waits, phases, slots = sums
    now = time.time()
    period = max(now - since / 1e6, 1e-6)
    busy = sum(row[1] for row in slots) / 1e6
    count = sum(classes)
    found = {
        "pid": os.getpid(), "start_time": since / 1e6, "stop_time": now,
        "sample_period": period, "request_count": count,
        "request_throughput": count / period,
        "capacity_utilization": busy / period / max(config["threads"], 1),
        "input_reads": reads, "input_bytes": taken,
        "output_writes": writes, "output_bytes": sent,
        "gil_wait_count": waits,
    }
    for number, value in enumerate(classes, 1):
        found[f"status_{number}xx"] = value
    found.update(phase_entries(phases))
    found.update(thread_entries(slots, now))
    found.update(cpu_entries(period))
    found.update(memory())
    return found


def process_metrics():
    """Totals since the process began."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    threads = list_threads()
    now = time.time()
    found = {
        "pid": os.getpid(), "restart_time": config["started"],
        "current_time": now, "running_time": now - config["started"],
        "request_count": sum(row[1] for row in threads),
        "request_busy_time": sum(row[2] for row in threads) / 1e6,
        "request_threads": config["threads"],
        "active_requests": sum(1 for row in threads if row[3]),
        "cpu_user_time": usage.ru_utime, "cpu_system_time": usage.ru_stime,
        "cpu_time": usage.ru_utime + usage.ru_stime,
        "threads": [{"thread_id": row[0], "request_count": row[1]}
                    for row in threads if row[1]],
    }
    found.update(memory())
    return found


def server_metrics():
    """Apache's scoreboard; None where it is not permitted, or out of reach:
    a daemon process shares no memory with Apache."""
    import json  # few ask
    text = read_scoreboard()
    return json.loads(text) if text else None
