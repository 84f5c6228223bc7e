"""A lattice that is asked for is used, or the run says that it is not; crops fit their network."""

import pytest
import torch

from ltc import lattices
from ltc.images.lattice_use import LatticeUse
from ltc.images.networks import FactorizedPrior, MeanScaleHyperprior
from ltc.images.swap import use_lattice
from ltc.training.image_module import ImageModule


class _Steps:
    global_step, log_every_n_steps = 0, 5


def module_of(network, lattice, **options):
    module = ImageModule(use_lattice(network, lattice, **options), lmbda=0.01).train()
    module._trainer = _Steps()
    module.log_dict = lambda *_, **__: None
    return module


@pytest.mark.parametrize("make", [FactorizedPrior, MeanScaleHyperprior])
@pytest.mark.parametrize("lattice", [lattices.LearnedLattice(32), lattices.get("leech")], ids=["learned", "leech"])
@pytest.mark.parametrize("along", ["channels", "positions"])
def test_a_lattice_that_no_run_can_hold_is_refused(make, lattice, along, generator):
    module = module_of(make(8, 20), lattice, along=along)
    with pytest.raises(ValueError, match=f"{lattice.name} has dimension {lattice.dim} and would not be used") as error:
        module.training_step(torch.rand(1, 3, 64, 64, generator=generator), 0)
    assert "\n" not in str(error.value) and ("of 20" if along == "channels" else "of 16") in str(error.value)


@pytest.mark.parametrize("name", ["z", "e8", "tcq8", "learned"])
@pytest.mark.parametrize("along", ["channels", "image"])
@pytest.mark.parametrize("hyper", [False, True])
def test_shares_are_those_of_the_segments(name, along, hyper, generator):
    lattice = lattices.LearnedLattice(8) if name == "learned" else lattices.get(name)
    module = module_of(MeanScaleHyperprior(8, 20), lattice, along=along, hyper=hyper)
    module.training_step(torch.rand(1, 3, 64, 64, generator=generator), 0)
    shares = module.use.shares()
    assert sum(shares.values()) == pytest.approx(1)
    latents, hypers = 20 * 16, 8 * hyper
    # Runs of 20 hold two vectors of eight and four more; along the image the hyper-latents' runs have one position.
    whole = latents if name in ("z", "tcq8") or along == "image" else 16 * 16
    whole += hypers if name in ("z", "tcq8") or along == "channels" else 0
    assert shares[lattice.name] == pytest.approx(whole / (latents + hypers))


def test_scalar_bottlenecks_have_no_lattice(generator):
    network = MeanScaleHyperprior(8, 16)
    use = LatticeUse(network)
    network(torch.rand(1, 3, 64, 64, generator=generator))
    use.check()
    assert use.shares() == {}


@pytest.mark.parametrize(("make", "factor"), [(FactorizedPrior, 16), (MeanScaleHyperprior, 64)])
def test_crops_that_do_not_fit_are_named(make, factor, generator):
    module = module_of(make(8, 16), lattices.get("e8"))
    x = torch.rand(1, 3, 96, 96, generator=generator)
    if 96 % factor == 0:
        assert bool(module.training_step(x, 0).isfinite())
        x = x[..., :90, :90]
    with pytest.raises(ValueError, match=rf"multiples of {factor}: crop_size={x.shape[3] // factor * factor}, say"):
        module.training_step(x, 0)


@pytest.mark.parametrize("name", ["z", "e8", "tcq8"])
@pytest.mark.parametrize("along", ["channels", "positions"])
def test_densities_on_lattices_work_in_inference_mode(name, along, generator):
    """Which is how Lightning evaluates: there is no derivative to be had."""
    network = use_lattice(FactorizedPrior(8, 16), lattices.get(name), along=along).eval()
    x = torch.rand(1, 3, 64, 64, generator=generator)
    with torch.inference_mode():
        found = network(x)
    expected = network(x)
    for key in ("x_hat", "likelihoods"):
        one, other = (out[key]["y"] if key == "likelihoods" else out[key] for out in (found, expected))
        assert torch.equal(one, other.detach())
