#!/usr/bin/env python3
"""A TCP proxy on loopback between a Kafka client and one broker that does what networks do at the worst moment.

  fault_proxy.py run --broker HOST:PORT [--listen PORT] [--control PORT] [--rule RULE]...
      Prints "LISTEN_PORT CONTROL_PORT" once it accepts connections (0, the default, picks free ports); ends by SIGTERM.
  fault_proxy.py tell CONTROL_PORT RULE|clear|status|forget|wait-idle
      Adds a rule; removes all; prints what has been seen, which `forget` sets back; waits until every rule with a count is
      used up.
      Exit code 1 with a line on stderr if the proxy refuses.

Rules: FAULT [key=value]...   The first rule that fits is used; one that has done its count is gone.
  delay ms=N            each answer waits so long, and those behind it wait for it
  latency ms=N          each answer arrives so much later, as from far away: those behind it are on their way meanwhile
  drop-response         the broker handles the request, its answer is lost: then=reset (default), close or silence
  reset                 both sides get RST, after=BYTES (default 0) of side=request|response (default response), counted
                        from the beginning of such a message
  half-close            after an answer the client gets FIN, while its requests still reach the broker
  black-hole            nothing passes in either direction and connections stay open, until `clear`
  refuse                new connections are reset
With all but refuse: api=NAME or api=KEY (default: all), count=N (default: 1 for drop-response, reset and half-close,
without end for the others). Only sizes, api keys and correlation ids are read; a frame is passed on as it arrives.

Clients follow the addresses that a broker advertises, so the broker has to advertise the proxy. A listener of its own
keeps the broker's own traffic (transaction markers) off the proxy; with a proxy on port 21000 and kafka.sh:
  kafka.sh start DIR --port 20000 \\
    --set listeners=PLAINTEXT://127.0.0.1:20000,CONTROLLER://127.0.0.1:20001,PROXIED://127.0.0.1:20002 \\
    --set advertised.listeners=PLAINTEXT://127.0.0.1:20000,PROXIED://127.0.0.1:21000 \\
    --set listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT
  fault_proxy.py run --listen 21000 --broker 127.0.0.1:20002
"""
import argparse
import collections
import dataclasses
import queue
import socket
import struct
import sys
import threading
import time

API_KEYS = {
    "Produce": 0, "Fetch": 1, "ListOffsets": 2, "Metadata": 3, "OffsetCommit": 8, "OffsetFetch": 9,
    "FindCoordinator": 10, "DescribeGroups": 15, "ListGroups": 16, "ApiVersions": 18, "CreateTopics": 19,
    "DeleteTopics": 20, "DeleteRecords": 21, "InitProducerId": 22, "OffsetForLeaderEpoch": 23,
    "AddPartitionsToTxn": 24, "EndTxn": 26, "DescribeConfigs": 32, "DescribeLogDirs": 35,
    "IncrementalAlterConfigs": 44,
}
API_NAMES = {key: name for name, key in API_KEYS.items()}
# The keys of each fault with their defaults; a default of None means that the key must be given.
FAULTS = {
    "delay": {"ms": None, "count": "0"},
    "latency": {"ms": None, "count": "0"},
    "drop-response": {"then": "reset", "count": "1"},
    "reset": {"side": "response", "after": "0", "count": "1"},
    "half-close": {"count": "1"},
    "black-hole": {"count": "0"},
    "refuse": {"count": "0"},
}
CHOICES = {"then": ("reset", "close", "silence"), "side": ("request", "response")}
CHUNK = 256 * 1024
WAIT_IDLE_SECONDS = 60


@dataclasses.dataclass
class Rule:
    fault: str
    api: int | None  # None: all
    left: int | None  # uses; None: without end
    options: dict


def parse_rule(text):
    fault, *pairs = text.split()
    if fault not in FAULTS:
        raise ValueError(f"'{fault}' is none of {', '.join(FAULTS)}")
    options = dict(FAULTS[fault])
    api = None
    for pair in pairs:
        key, _, value = pair.partition("=")
        if key == "api" and fault != "refuse":
            api = API_KEYS[value] if value in API_KEYS else int(value)
        elif key not in options:
            raise ValueError(f"{fault} has no '{key}'")
        elif key in CHOICES and value not in CHOICES[key]:
            raise ValueError(f"{key} is one of {', '.join(CHOICES[key])}")
        else:
            options[key] = value if key in CHOICES else int(value)
    missing = [key for key, value in options.items() if value is None]
    if missing:
        raise ValueError(f"{fault} needs {missing[0]}=")
    return Rule(fault, api, int(options.pop("count")) or None, options)


class Rules:
    """What is to happen, and what has been seen. Thread-safe."""

    def __init__(self):
        self.changed = threading.Condition()
        self.rules = []
        self.seen = collections.Counter()

    def add(self, rule):
        with self.changed:
            self.rules.append(rule)
            self.changed.notify_all()

    def clear(self):
        with self.changed:
            self.rules.clear()
            self.changed.notify_all()

    def take(self, fault, api, **wanted):
        """The options of the first rule that fits, which is used once by this; None if there is none."""
        with self.changed:
            for rule in self.rules:
                if rule.fault != fault or rule.api not in (None, api):
                    continue
                if any(rule.options[key] != value for key, value in wanted.items()):
                    continue
                self.seen[fault] += 1
                if rule.left is not None:
                    rule.left -= 1
                    if rule.left == 0:
                        self.rules.remove(rule)
                        self.changed.notify_all()
                return rule.options
        return None

    def note(self, what, api, size):
        name = API_NAMES.get(api, api)
        with self.changed:
            self.seen[f"{what} {name}"] += 1
            self.seen[f"bytes of {what} {name}"] += size

    def note_connection(self):
        with self.changed:
            self.seen["connections"] += 1

    def note_closed_by_broker(self):
        with self.changed:
            self.seen["closed by the broker"] += 1

    def note_at_once(self, count):
        """So many requests of one connection have no answer yet."""
        with self.changed:
            self.seen["most at once"] = max(self.seen["most at once"], count)

    def forget(self):
        with self.changed:
            self.seen.clear()

    def pass_black_holes(self, api):
        """Waits as long as there is a black hole for such messages."""
        with self.changed:
            self.changed.wait_for(
                lambda: not any(r.fault == "black-hole" and r.api in (None, api) for r in self.rules))

    def wait_idle(self):
        with self.changed:
            return self.changed.wait_for(lambda: all(rule.left is None for rule in self.rules), WAIT_IDLE_SECONDS)

    def status(self):
        with self.changed:
            counts = [f"{what}: {count}" for what, count in sorted(self.seen.items())]
            return counts + [f"rule: {rule}" for rule in self.rules]


class Ended(Exception):
    """The connection is over, by a fault or by one of its ends."""


class Session:
    """One connection of a client and its twin to the broker; a thread for each direction."""

    def __init__(self, rules, client, broker):
        self.rules = rules
        self.client = client
        self.broker = broker
        self.apis = {}  # by correlation id, of the requests that have no answer yet
        self.asked = self.answered = 0
        self.silent = False  # the client gets nothing any more
        self.over = False  # by us, or because the client closed it
        self.latency = 0  # of the answer that passes, in seconds
        self.late = None  # what is far away, once anything was: (time of arrival, bytes)

    def start(self):
        for pump in (self.pass_requests, self.pass_responses):
            threading.Thread(target=self.run, args=(pump,), daemon=True).start()

    def run(self, pump):
        try:
            pump()
        except (Ended, OSError):
            self.end(reset=False)

    def end(self, reset):
        self.over = True
        for end in (self.client, self.broker):
            if reset:  # SO_LINGER of 0 makes the kernel send RST when the last thread lets go of the socket
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            try:
                # Wakes the other thread, which may be reading. With a reset nothing more may be sent, no FIN either.
                end.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
        if self.late is not None:
            self.late.put((0, b""))  # wakes its thread, which meets a closed socket

    def pass_requests(self):
        while True:
            size, api, _, correlation_id = struct.unpack(">ihhi", header := read(self.client, 12))
            self.asked += 1
            self.rules.note("requests", api, size + 4)
            self.rules.note_at_once(self.asked - self.answered)
            self.rules.pass_black_holes(api)
            cut = self.rules.take("reset", api, side="request")
            self.apis[correlation_id] = api
            self.copy(self.client, self.broker, header, size - 8, cut)

    def pass_responses(self):
        while True:
            size, correlation_id = struct.unpack(">ii", header := self.read_answer_header())
            api = self.apis.pop(correlation_id)
            self.rules.note("responses", api, size + 4)
            self.rules.pass_black_holes(api)
            if delay := self.rules.take("delay", api):
                time.sleep(delay["ms"] / 1000)
            latency = self.rules.take("latency", api)
            if latency and self.late is None:
                self.late = queue.SimpleQueue()
                threading.Thread(target=self.run, args=(self.pass_late,), daemon=True).start()
            self.latency = latency["ms"] / 1000 if latency else 0
            if dropped := self.rules.take("drop-response", api):
                self.drop(dropped["then"], size - 4)
                continue
            cut = self.rules.take("reset", api, side="response")
            self.copy(self.broker, None if self.silent else self.client, header, size - 4, cut)
            self.note_answered()
            if self.rules.take("half-close", api) is not None:
                self.client.shutdown(socket.SHUT_WR)
                self.silent = True

    def read_answer_header(self):
        try:
            return read(self.broker, 8)
        except (Ended, OSError):
            if not self.over:
                self.rules.note_closed_by_broker()
            raise

    def pass_late(self):
        while True:
            arrival, data = self.late.get()
            if data is None:
                self.answered += 1
                continue
            time.sleep(max(arrival - time.monotonic(), 0))
            self.client.sendall(data)

    def note_answered(self):
        if self.late is None:
            self.answered += 1
        else:
            self.late.put((0, None))

    def pass_on(self, target, data):
        if self.late is not None and target is self.client:
            self.late.put((time.monotonic() + self.latency, data))
        else:
            target.sendall(data)

    def drop(self, then, size):
        if then != "silence":
            self.end(reset=then == "reset")
            raise Ended
        self.silent = True
        self.copy(self.broker, None, b"", size, None)

    def copy(self, source, target, header, size, cut):
        """Passes header and the next `size` bytes on; with `cut` only so many of all, then resets."""
        left_until_cut = cut["after"] if cut else None
        data = header
        while True:
            if left_until_cut is not None and len(data) >= left_until_cut:
                if target:
                    self.pass_on(target, data[:left_until_cut])
                self.end(reset=True)
                raise Ended
            if target:
                self.pass_on(target, data)
            if left_until_cut is not None:
                left_until_cut -= len(data)
            if size == 0:
                return
            data = source.recv(min(size, CHUNK))
            if not data:
                raise Ended
            size -= len(data)


def read(source, size):
    data = b""
    while len(data) < size:
        more = source.recv(size - len(data))
        if not more:
            raise Ended
        data += more
    return data


def listen(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


def accept_clients(listener, broker, rules):
    while True:
        client, _ = listener.accept()
        rules.note_connection()
        if rules.take("refuse", None) is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            continue
        try:
            twin = socket.create_connection(broker)
        except OSError:  # the broker is down: so is its address, as seen through us
            client.close()
            continue
        for end in (client, twin):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Session(rules, client, twin).start()


def obey(command, rules):
    """Carries out one command; the answer is lines, of which the last is "ok" or begins with "error"."""
    if command == "clear":
        rules.clear()
    elif command == "forget":
        rules.forget()
    elif command == "status":
        return rules.status() + ["ok"]
    elif command == "wait-idle":
        return ["ok" if rules.wait_idle() else "error: a rule is still waiting for its moment"]
    else:
        rules.add(parse_rule(command))
    return ["ok"]


def serve_control(listener, rules):
    def serve(connection):
        with connection, connection.makefile("rw") as lines:
            try:
                answer = obey(lines.readline().strip(), rules)
            except (ValueError, KeyError) as error:
                answer = [f"error: {error}"]
            lines.write("\n".join(answer) + "\n")

    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def run(arguments):
    rules = Rules()
    for text in arguments.rule:
        rules.add(parse_rule(text))
    host, _, port = arguments.broker.rpartition(":")
    listener, control = listen(arguments.listen), listen(arguments.control)
    threading.Thread(target=serve_control, args=(control, rules), daemon=True).start()
    print(listener.getsockname()[1], control.getsockname()[1], flush=True)
    accept_clients(listener, (host, int(port)), rules)


def tell(arguments):
    with socket.create_connection(("127.0.0.1", arguments.port)) as connection, connection.makefile("rw") as lines:
        lines.write(" ".join(arguments.command) + "\n")
        lines.flush()
        answer = lines.read().splitlines()
    if not answer or answer[-1] != "ok":
        sys.exit(f"fault_proxy.py: {answer[-1] if answer else 'no answer'}")
    print("\n".join(answer[:-1]), end="\n" if answer[:-1] else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    running = commands.add_parser("run")
    running.add_argument("--broker", required=True)
    running.add_argument("--listen", type=int, default=0)
    running.add_argument("--control", type=int, default=0)
    running.add_argument("--rule", action="append", default=[])
    running.set_defaults(act=run)
    telling = commands.add_parser("tell")
    telling.add_argument("port", type=int)
    telling.add_argument("command", nargs="+")
    telling.set_defaults(act=tell)
    arguments = parser.parse_args()
    arguments.act(arguments)


if __name__ == "__main__":
    try:
        main()
    except ValueError as error:
        sys.exit(f"fault_proxy.py: {error}")
    except KeyboardInterrupt:
        pass
