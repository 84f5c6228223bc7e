"""The experiment's configuration, and the little Python that Hydra needs to read it.

Import this before Hydra composes: it registers the resolvers that let the block follow the lattice, the numbers
that are allowed wherever ``lambda`` is, and the lattices of experiments. Light to import: neither torch nor Lightning.
"""

from conf.arguments import accept_options_anywhere
from conf.families import accept_lattices_in_experiments
from conf.lambda_group import accept_numbers_as_lambda
from conf.launchers import tune_launchers
from conf.overrides import read_overrides_kindly
from conf.resolvers import register_resolvers

accept_options_anywhere()
read_overrides_kindly()
accept_numbers_as_lambda()
accept_lattices_in_experiments()
register_resolvers()
tune_launchers()
