"""Checks the messages on standard input, one a line, by the schema of a channel in an AsyncAPI document."""

import json
import sys

import jsonschema
import yaml

path, channel = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    document = yaml.safe_load(file)


def follow(node):
    while "$ref" in node:
        target = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


assert document["asyncapi"] == "3.0.0"
for operation in document["operations"].values():
    assert operation["action"] in ("send", "receive")
    assert follow(operation["channel"]) in document["channels"].values()
    for message in operation["messages"]:
        assert "payload" in follow(follow(message))

payload = follow(follow(document["channels"][channel]["messages"]["event"])["payload"])
schema = {**payload, "components": document["components"]}
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
count = 0
for line in sys.stdin:
    validator.validate(json.loads(line))
    count += 1
print(count)
