"""Numbers wherever lambda is: on the command line, in sweeps, in YAML; and one sentence for what is no such number."""

import math

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMED = {"low": 0.5, "mid": 4.0, "high": 8.0}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.5", 0.5),
        ("2", 2),
        ("1e-3", 1e-3),
        ("0.0625", 0.0625),
        ("12345.678", 12345.678),
        ("1e22", 1e22),
        ("'0.5'", 0.5),
    ],
)
def test_numbers(composed, text, number):
    cfg = composed(f"lambda={text}")
    assert cfg["lambda"] == number and isinstance(cfg["lambda"], float)
    assert cfg.callbacks.rd_point.description["lambda"] == number  # what rd_point.json will say


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(min_value=1e-300, max_value=1e300, allow_nan=False))
def test_any_positive_number_is_read_exactly(composed, number):
    assert composed(f"lambda={number!r}")["lambda"] == number


def test_named_values(composed, choices):
    assert set(choices("lambda")) == set(NAMED)
    for name, number in NAMED.items():
        assert composed(f"lambda={name}")["lambda"] == number
    assert composed()["lambda"] == NAMED["mid"]


def test_the_last_one_wins(composed):
    assert composed("lambda=2", "lambda=0.25")["lambda"] == 0.25
    assert composed("lambda=2", "lambda=low")["lambda"] == NAMED["low"]


@pytest.mark.parametrize("text", ["-1", "0", "0.0", "-0.5", "abc", "nan", "inf", "-inf", "1e400", "0x10", "lo", "mid2"])
def test_anything_else_is_refused_with_what_is_allowed(composed, text):
    with pytest.raises(ConfigCompositionException, match=r"not allowed.*positive number.*low, mid, high") as error:
        composed(f"lambda={text}")
    assert "\n" not in str(error.value)


def user_files(tmp_path, **files):
    """A folder of configuration of a user's own, and the override that adds it."""
    folder = tmp_path / "own"
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return f"hydra.searchpath=[file://{folder}]"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("quoted number in the defaults list", '# @package _global_\ndefaults:\n  - override /lambda: "0.25"\n'),
        ("name in the defaults list", "# @package _global_\ndefaults:\n  - override /lambda: low\n"),
        ("value", "# @package _global_\nlambda: 0.25\n"),
    ],
)
def test_in_yaml(composed, tmp_path, name, body):
    own = user_files(tmp_path, experiment__mine=body)
    expected = NAMED["low"] if name.startswith("name") else 0.25
    assert composed(own, "experiment=mine")["lambda"] == expected


@pytest.mark.xfail(
    strict=True,
    raises=ConfigCompositionException,
    reason="LambdaSource.is_config raises for any text before the folders that a user adds are asked",
)
def test_a_users_own_name(composed, tmp_path):
    """A file lambda/tiny.yaml in a folder that the user adds is a named value too."""
    own = user_files(tmp_path, **{"lambda__tiny": "# @package _global_\nlambda: 0.001\n"})
    assert composed(own, "lambda=tiny")["lambda"] == 0.001


def jobs(*overrides):
    """The jobs of a multirun, by Hydra's own sweeper."""
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    (batch,) = BasicSweeper.split_arguments(parsed, None)
    return batch


@pytest.mark.parametrize(
    ("sweep", "numbers"),
    [
        ("0.5,1,2", [0.5, 1, 2]),
        ("low,0.75,high", [0.5, 0.75, 8.0]),
        ("1e-3,10", [1e-3, 10]),
        ("choice(0.5,4)", [0.5, 4]),
        ("range(1,4)", [1, 2, 3]),
        ("3", [3]),
    ],
)
def test_sweeps(composed, sweep, numbers):
    found = jobs(f"lambda={sweep}")
    assert [composed(*job)["lambda"] for job in found] == numbers


def test_sweeps_with_other_groups(composed):
    found = [composed(*job) for job in jobs("lattice=e8,z", "lambda=0.5,low")]
    assert [(c.lattice.name, c["lambda"]) for c in found] == [("e8", 0.5), ("e8", 0.5), ("z", 0.5), ("z", 0.5)]
    assert jobs("lattice=e8,z", "lambda=0.5,2") == [
        [f"lattice={name}", f"lambda={number}"] for name in ("e8", "z") for number in ("0.5", "2")
    ]


def test_a_sweep_with_a_wrong_number_is_refused(composed):
    with pytest.raises(ConfigCompositionException, match="lambda=-2 is not allowed"):
        for job in jobs("lambda=1,-2"):
            composed(*job)


def test_other_overrides_keep_their_types(composed):
    """Only the group lambda turns numbers into names."""
    cfg = composed("batch_size=64", "optimizer.lr=1e-4", "seed=3")
    assert (cfg.batch_size, cfg.optimizer.lr, cfg.seed) == (64, 1e-4, 3)
    parsed = OverridesParser.create().parse_overrides(["seed=3", "lambda=3", "trainer.max_steps=7"])
    assert [o.value() for o in parsed] == [3, "3", 7]


def test_registering_twice_changes_nothing(composed):
    from conf.lambda_group import accept_numbers_as_lambda

    before = OverridesParser.parse_overrides
    accept_numbers_as_lambda()
    assert OverridesParser.parse_overrides is before
    assert composed("lambda=0.5")["lambda"] == 0.5 and math.isfinite(composed("lambda=7")["lambda"])
