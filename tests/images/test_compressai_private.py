"""Private names of CompressAI and PyTorch that bottlenecks of images use: these fail when an update changes them."""

import inspect

import pytest
import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from torch import nn


def test_a_density_of_a_channel_is_a_difference_of_its_logits():
    bottleneck = EntropyBottleneck(3)
    medians = bottleneck._get_medians()
    assert medians.shape == (3, 1, 1)
    x = torch.linspace(-4, 4, 9).expand(3, 1, 9)
    logits = bottleneck._logits_cumulative(x, stop_gradient=False)
    assert logits.shape == (3, 1, 9) and bool((logits.diff() > 0).all())


@pytest.mark.parametrize("make", [lambda: EntropyBottleneck(3), lambda: GaussianConditional(None)])
def test_tables_are_buffers_of_these_names(make):
    buffers = dict(make().named_buffers())
    assert {"_offset", "_quantized_cdf", "_cdf_length"} <= set(buffers)


def test_states_are_loaded_module_by_module():
    parameters = list(inspect.signature(nn.Module._load_from_state_dict).parameters)
    assert parameters[:3] == ["self", "state_dict", "prefix"]
