"""Settings of a dataclass and of a function are read alike: each mistake is named with its key, value and range."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from homotopy.errors import ConfigError
from homotopy.settings import at_least, build, call, not_set, rule, such_that, values


@dataclass(frozen=True)
class Network:
    width: int = rule(at_least(1), "at least 1")
    scale: float = 2.0


def network(width: Annotated[int, such_that(at_least(1), "at least 1")], scale: float = 2.0) -> Network:
    return Network(width, scale)


READERS = pytest.mark.parametrize("read", [lambda v: build(Network, v, "net"), lambda v: call(network, v, "net")])


@READERS
def test_right_values_are_taken_and_defaults_filled_in(read):
    assert read({"width": 3}) == Network(3, 2.0)
    assert isinstance(read({"scale": 1, "width": 3}).scale, float)


@READERS
@pytest.mark.parametrize(
    ("values", "key", "allowed"),
    [
        ({"width": 0}, "net.width=0", "at least 1"),
        ({"width": True}, "net.width=True", "at least 1"),
        ({"scale": 1.0}, "net.width=missing", "at least 1"),
        ({"width": 1, "scale": "a"}, "net.scale=a", "of type float"),
        ({"width": 1, "depth": 2}, "net.depth=2", "net has width, scale"),
        (7, "net=7", "a group with width, scale"),
    ],
)
def test_a_mistake_is_named(read, values, key, allowed):
    with pytest.raises(ConfigError) as raised:
        read(values)
    assert key in str(raised.value) and allowed in str(raised.value)


@dataclass(frozen=True)
class Fitted(Network):
    inputs: int = not_set(1)


def test_what_follows_from_the_data_is_no_setting():
    with pytest.raises(ConfigError, match="net.inputs=2"):
        build(Fitted, {"width": 3, "inputs": 2}, "net")
    assert values(Fitted(3, inputs=2)) == {"width": 3, "scale": 2.0}
    assert build(Fitted, values(Fitted(3, inputs=2)), "net") == Fitted(3)
