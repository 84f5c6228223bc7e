"""Checkpoints that are missing, foreign, of another version or damaged: each is refused with one sentence."""

import contextlib
import json
import random

import pytest
import torch

from ltc.codec import load_coder

FIELDS = ["config", "about", "n", "dim", "state", "tables"]


def test_missing_and_foreign_files_are_named(refusal, tmp_path):
    assert "no checkpoint" in refusal(tmp_path / "nowhere.pt")
    assert "no coder.pt" in refusal(tmp_path)
    for i, foreign in enumerate(({"epoch": 3}, [1, 2], torch.zeros(3), {"format": "ltc-other"}, "text")):
        torch.save(foreign, tmp_path / f"{i}.pt")
        assert "no coder of this project" in refusal(tmp_path / f"{i}.pt")
    for foreign in (b"", b"PK\x03\x04", b"\x80\x02.", b"\x89LTC" + bytes(40), bytes(1000)):
        (tmp_path / "coder.pt").write_bytes(foreign)
        assert "no coder of this project" in refusal(tmp_path)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_other_versions_are_named(version, content, refusal, tmp_path):
    torch.save({**content, "version": version}, tmp_path / "coder.pt")
    assert f"version {version}, and this program reads version 1" in refusal(tmp_path / "coder.pt")


def of_config(change):
    """A damage of the configuration, which is JSON."""
    return lambda content: {"config": json.dumps(change(json.loads(content["config"])))}


def of_part(part, change):
    """A damage of the parameters or of the tables, which are dictionaries."""
    return lambda content: {part: change(dict(content[part]))}


DAMAGES = {f"{name} of another type": lambda _, name=name: {name: 1.5} for name in FIELDS} | {
    "configuration: no JSON": lambda _: {"config": "{'a': 1}"},
    "configuration: a text": of_config(lambda _: "text"),
    "configuration: a number": of_config(lambda _: 5),
    "configuration: a list": of_config(lambda config: [config]),
    "configuration: empty": of_config(lambda _: {}),
    "configuration: of another class": of_config(lambda config: config["analysis"]),
    "configuration: an unknown argument": of_config(lambda config: {**config, "novel": 1}),
    "configuration: a missing argument": of_config(lambda config: {k: config[k] for k in ("_target_", "analysis")}),
    "configuration: no class": of_config(lambda config: {**config, "analysis": {"_target_": "ltc.models.DISTORTIONS"}}),
    "configuration: no such lattice": lambda content: {"config": content["config"].replace('"e8"', '"e9"')},
    "about: no JSON": lambda _: {"about": "{"},
    "about: a list": lambda _: {"about": "[]"},
    "parameters: none": lambda _: {"state": {}},
    "parameters: too many": of_part("state", lambda state: {**state, "novel": torch.zeros(1)}),
    "parameters: a shape": of_part("state", lambda state: {**state, "gain": torch.zeros(3)}),
    "parameters: no tensor": of_part("state", lambda state: {**state, "gain": 3}),
    "tables: none": lambda _: {"tables": {}},
    "tables: one missing": of_part("tables", lambda tables: {"w": tables["w"]}),
    "tables: no tensor": of_part("tables", lambda tables: {**tables, "w": 5}),
    "tables: short": of_part("tables", lambda tables: {**tables, "w": tables["w"][:, :-1]}),
    "tables: narrow": of_part("tables", lambda tables: {**tables, "w": tables["w"][:, :, :4]}),
    "tables: flat": of_part("tables", lambda tables: {**tables, "w": tables["w"].flatten()}),
    "n: zero": lambda _: {"n": 0},
    "dim: zero": lambda _: {"dim": 0},
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_refused_with_a_sentence(damage, content, refusal, tmp_path):
    torch.save({**content, **DAMAGES[damage](content)}, tmp_path / "coder.pt")
    refusal(tmp_path / "coder.pt")


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_missing_is_refused_with_a_sentence(field, content, refusal, tmp_path):
    del content[field]
    torch.save(content, tmp_path / "coder.pt")
    assert "damaged" in refusal(tmp_path / "coder.pt")


def test_truncated_and_flipped_bytes_are_noticed(saved, refusal, tmp_path, seed):
    """Or were in bytes that do not matter: then it is the same coder."""
    good, path = saved("e8").read_bytes(), tmp_path / "coder.pt"
    chance, original = random.Random(seed), load_coder(saved("e8")).fingerprint
    for cut in [0, 1, 4, len(good) - 1, *(chance.randrange(len(good)) for _ in range(30))]:
        path.write_bytes(good[:cut])
        refusal(path)
    unnoticed = 0
    for _ in range(200):
        bad = bytearray(good)
        bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        path.write_bytes(bad)
        with contextlib.suppress(ValueError):
            unnoticed += load_coder(path).fingerprint != original
    assert not unnoticed
