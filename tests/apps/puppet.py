"""An application that does what the request's X-Puppet header (JSON) says.

status, headers   what start_response gets, whatever their types
pairs             "list": headers' items stay lists; else they become tuples
container         "tuple": the headers in a tuple; "dict"; else a list
blocks            the body; text stands for bytes by latin-1, {"text": ...}
                  for a str that stays one
how               list, tuple, generator, lazy (start_response in the first
                  step), write, none, bytes (the object itself), twice, empty
twice             a second {status, headers} for how=twice
"""

import json


def blocks_of(script):
    return [block.encode("latin-1") if isinstance(block, str)
            else block["text"] if isinstance(block, dict) else block
            for block in script.get("blocks", [])]


def headers_of(script):
    headers = script.get("headers", [])
    if script.get("pairs") != "list":
        headers = [tuple(pair) for pair in headers]
    kinds = {"tuple": tuple, "dict": dict}
    return kinds.get(script.get("container"), lambda same: same)(headers)


def start(script, start_response):
    return start_response(script.get("status", "200 OK"), headers_of(script))


def lazy(script, start_response):
    start(script, start_response)
    yield from blocks_of(script)


def application(environ, start_response):
    script = json.loads(environ["HTTP_X_PUPPET"])
    how, blocks = script.get("how", "list"), blocks_of(script)
    if how == "lazy":
        return lazy(script, start_response)
    write = start(script, start_response)
    if how == "twice":
        start(script["twice"], start_response)
    if how == "write":
        for block in blocks:
            write(block)
        return []
    return {"none": None, "tuple": tuple(blocks), "empty": [],
            "generator": (block for block in blocks),
            "bytes": b"".join(blocks) if how == "bytes" else b"",
            }.get(how, blocks)
