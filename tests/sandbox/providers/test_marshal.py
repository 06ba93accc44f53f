from __future__ import annotations

import subprocess
import sys

import pytest
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc

from sandbox.errors import NotEmulatedError
from sandbox.providers import protocol
from sandbox.providers.marshal import from_struct, to_struct
from sandbox.values import UNKNOWN, Properties, Secret, Value

SIGNATURE = "4dabf18193072939515e22adb298388d"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ASSET = "c44067f5952c0a294b673a41bacd8c17"


def wire(properties: Properties) -> Struct:
    struct = Struct()
    struct.update(properties)
    return struct


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ("x", "x"),
        ("", ""),
        (True, True),
        (3, 3),
        (2.5, 2.5),
        ([], []),
        ({}, {}),
        ([1, "a", [None, {"b": False}]], [1, "a", [None, {"b": False}]]),
        (UNKNOWN_TEXT, UNKNOWN),
        ({SIGNATURE: SECRET, "value": {"a": [1]}}, Secret({"a": [1]})),
    ],
)
def test_both_ways(sent: Value, value: Value) -> None:
    assert from_struct(wire({"v": sent})) == {"v": value}
    assert json_format.MessageToDict(to_struct({"v": value})) == {"v": sent}


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ({SIGNATURE: SECRET, "value": UNKNOWN_TEXT}, UNKNOWN),
        ({SIGNATURE: SECRET, "value": {SIGNATURE: SECRET, "value": 1}}, Secret(1)),
        ({SIGNATURE: OUTPUT, "value": 1, "secret": True, "dependencies": []}, Secret(1)),
        ({SIGNATURE: OUTPUT, "value": 1}, 1),
        ({SIGNATURE: OUTPUT}, UNKNOWN),
    ],
)
def test_one_way(sent: Value, value: Value) -> None:
    assert from_struct(wire({"v": sent})) == {"v": value}


def test_nulls_are_dropped_and_whole_numbers_are_integers() -> None:
    read = from_struct(wire({"n": None, "count": 4}))
    assert read == {"count": 4}
    assert isinstance(read["count"], int)


def test_assets_are_refused() -> None:
    with pytest.raises(NotEmulatedError, match="takes no assets"):
        from_struct(wire({"v": {SIGNATURE: ASSET, "path": "x"}}))


def test_the_wires_constants_are_the_sdks() -> None:
    assert rpc._special_sig_key == protocol.SIGNATURE
    assert rpc._special_secret_sig == protocol.SECRET
    assert rpc._special_output_value_sig == protocol.OUTPUT
    assert rpc.UNKNOWN == protocol.UNKNOWN_TEXT


def test_a_provider_starts_without_the_sdk() -> None:
    script = "import sys, sandbox.providers.kubernetes; print('pulumi' in sys.modules); import pulumi.runtime.rpc"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
