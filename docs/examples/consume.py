#!/usr/bin/env python3
"""Reads activities from Daybook's topic and prints them, one line of JSON each.

    pip install pulsar-client
    python3 consume.py --url pulsar://127.0.0.1:6650

Every message is a CloudEvent (docs/asyncapi.yaml). Daybook publishes at least once; after a broken connection the
positions of a partition may jump ahead, and then come again from where it broke off. So a consumer keeps the last
position of each partition and takes only the next one. Here that is a dictionary; keep it with your results, in one
transaction, and every event counts exactly once, in order.
"""

import argparse
import json
import sys

import pulsar


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--url", default="pulsar://127.0.0.1:6650")
    arguments.add_argument("--topic", default="persistent://public/default/daybook.activities.v1")
    arguments.add_argument("--subscription", default="example")
    arguments.add_argument("--token", help="authenticate with this token")
    arguments.add_argument("--count", type=int, help="end after so many events")
    arguments.add_argument("--timeout-s", type=float, default=60.0, help="end when nothing comes for so long")
    options = arguments.parse_args()

    authentication = pulsar.AuthenticationToken(options.token) if options.token else None
    quiet = pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/stderr")
    client = pulsar.Client(options.url, authentication=authentication, logger=quiet)
    consumer = client.subscribe(
        options.topic,
        options.subscription,
        # Several of these processes share the partitions, and each partition keeps its order.
        consumer_type=pulsar.ConsumerType.Failover,
        initial_position=pulsar.InitialPosition.Earliest,
    )
    checkpoints: dict[int, int] = {}
    seen = 0
    try:
        while options.count is None or seen < options.count:
            message = consumer.receive(timeout_millis=int(options.timeout_s * 1000))
            event = json.loads(message.data())
            last = checkpoints.get(event["partition"])
            if last is None or event["position"] == last + 1:
                print(json.dumps(event), flush=True)
                checkpoints[event["partition"]] = event["position"]
                seen += 1
            consumer.acknowledge_cumulative(message)
    except pulsar.Timeout:
        sys.exit(f"nothing came for {options.timeout_s} s; {seen} events so far")
    finally:
        client.close()


if __name__ == "__main__":
    main()
