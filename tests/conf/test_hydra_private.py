"""Hydra's insides are what we take them for: these fail when an update changes them."""

import inspect
import sys

import hydra
from hydra.core.override_parser.overrides_parser import OverridesParser

import conf
from conf.hydra_private import replace_value


def test_hydras_main_asks_for_its_parser_by_the_name_that_we_replace():
    module = sys.modules[hydra.main.__module__]
    assert "get_args_parser()" in inspect.getsource(module.main)
    assert module.get_args_parser.__wrapped__.__module__ == "hydra._internal.utils"
    arguments = module.get_args_parser().parse_args(["a=1", "--config-name", "images", "b=2"])
    assert (arguments.overrides, arguments.config_name) == (["a=1", "b=2"], "images")


def test_overrides_are_read_by_the_method_that_we_replace():
    parameters = inspect.signature(OverridesParser.parse_overrides).parameters
    assert conf is not None and list(parameters) == ["self", "overrides"]
    (override,) = OverridesParser.create().parse_overrides(["lambda=2"])
    assert override.value() == "2" and override.key_or_group == "lambda"
    replace_value(override, "3")
    assert override.value() == "3" == override.get_value_element_as_str()
