"""Coders of earlier versions, whose bottleneck was given the lattice beside the prior that owns it now, still load."""

import json

import pytest
import torch
from hydra.utils import instantiate

from ltc.codec import load_coder, save_coder
from ltc.codec.checkpoint import fingerprint_of

_LEARNED = {"_target_": "ltc.lattices.LearnedLattice", "dim": 4}
_FACTORS = {
    "_target_": "ltc.lattices.ProductLattice",
    "factors": [_LEARNED, {"_target_": "ltc.lattices.get", "name": "z"}],
}
_LATTICES = {"e8": {"_target_": "ltc.lattices.get", "name": "e8"}, "learned": _LEARNED, "product": _FACTORS}
_CASES = [("LatticeBottleneck", name) for name in _LATTICES] + [("DitheredBottleneck", "e8")]


@pytest.fixture(params=_CASES, ids=lambda case: f"{case[1]}-{case[0]}")
def coder(request):
    """``coder``, its configuration now, what it was, and its dimension."""
    bottleneck, name = request.param
    lattice = _LATTICES[name]
    dim = instantiate(lattice).dim
    gain = {"_target_": "ltc.transforms.Gain", "inputs": dim, "outputs": dim}
    prior = {"_target_": "ltc.entropy.exact_prior", "lattice": lattice, "dim": dim}
    now = {"_target_": f"ltc.models.{bottleneck}", "entropy_model": prior}
    config, before = (
        {"_target_": "ltc.models.Coder", "analysis": gain, "bottleneck": node, "synthesis": gain, "gain": 1.5}
        for node in (now, {**now, "lattice": lattice})
    )
    made = instantiate(config).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return made, config, before, dim


def earlier_state(coder):
    """What ``state_dict`` gave when the bottleneck had the lattice, too."""
    state, owned = coder.state_dict(), "bottleneck.entropy_model.lattice."
    twice = {name.replace(owned, "bottleneck.lattice."): t for name, t in state.items() if name.startswith(owned)}
    return {**twice, **state}


@torch.no_grad()
def test_files_of_earlier_versions_load(coder, tmp_path):
    """The same coder, under the name that its ``.ltc`` files know it by."""
    made, config, before, dim = coder
    save_coder(tmp_path / "coder.pt", made, config, dim, 1, "mse", {})
    content = torch.load(tmp_path / "coder.pt", weights_only=True)
    content["config"], content["state"] = json.dumps(before, sort_keys=True), earlier_state(made)
    parts = [content["config"], str(dim), "1"]
    name = fingerprint_of(parts, {**content["state"], **content["tables"]})
    torch.save({**content, "fingerprint": name.hex()}, tmp_path / "earlier.pt")
    found, today = load_coder(tmp_path / "earlier.pt"), load_coder(tmp_path / "coder.pt")
    assert found.fingerprint == name
    x = torch.randn(60, dim)
    stream = today.coder.compress(x, 5)
    assert found.coder.compress(x, 5) == stream
    assert torch.equal(found.coder.decompress(stream, 60, 5), today.coder.decompress(stream, 60, 5))


@torch.no_grad()
def test_training_goes_on_from_earlier_checkpoints(coder):
    """Their states are loaded strictly: what is really missing or unknown is still an error."""
    made, config, _, _ = coder
    other, state = instantiate(config), earlier_state(made)
    other.load_state_dict(state)
    assert all(torch.equal(a, b) for a, b in zip(other.parameters(), made.parameters(), strict=True))
    with pytest.raises(RuntimeError, match="Unexpected"):
        other.load_state_dict({**state, "bottleneck.lettuce.above": torch.zeros(1)})
    with pytest.raises(RuntimeError, match="Missing"):
        other.load_state_dict({k: v for k, v in state.items() if "bottleneck.entropy_model" not in k})
