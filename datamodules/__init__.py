"""Sources of symbols, and the Lightning data module that turns any of them into blocks.

Contents, one concept per file:

- `source` `Source`, what every source promises: symbols, a test set if finite, R(D) if known
- `gaussian` `Gaussian`, i.i.d. scalars; `correlated` has `CorrelatedGaussian`, Gaussian vectors
- `uniform` `Uniform`
- `laplace` `Laplace`, under squared or absolute error
- `banana` `Banana`, the bent 2-D Gaussian of nonlinear transform coding; `BananaMarginal`, 1-D
- `sawbridge` `Sawbridge`, a path with one random jump, 1,024 samples a symbol
- `physics` `Physics`, measured Z -> ee events, 16 numbers a symbol; a finite data set
- `speech` `Speech`, spectra of spoken digits, 33 numbers a symbol; a finite data set
- `array` `Array`, rows of a user's own files; `random_order` `RandomOrder`, how they are split
- `patches` `Patches`, square patches of photographs; a finite data set
- `errors` `DataError`, a file is missing or holds something else
- `blocks` `BlockDataModule`, blocks of n symbols for training, validation and test
- `block` `Blocks`, n symbols at a time
- `stream` `BatchStream`, the order of batches: dealt to processes and workers, no batch twice
- `training` `EndlessStream`, fresh batches without end; `TrainingStream`, of blocks
- `streamed` `StreamedData`, a data module that goes on with the next batch
- `evaluation` `EvaluationStream`, a fixed set of blocks, each of them once
- `seeding` `batch_seed`, one random seed for each batch of each split
- `ranks` `rank_and_world`, which of how many processes this is
- `images` `ImageFiles`, decoded images of folders; `ImageCrops`, random crops of them
- `vimeo` `vimeo90k`, the frames of Vimeo-90k
- `image_data` `ImageDataModule`, crops for training and whole images for the test

To add a source, subclass `Source` in a file of its own; nothing else here changes.

Examples:
    >>> import torch
    >>> from datamodules import Laplace
    >>> Laplace(scale=2.0).sample(3, torch.Generator().manual_seed(0)).shape
    torch.Size([3, 1])
"""

from typing import Any

from datamodules.array import Array
from datamodules.banana import Banana, BananaMarginal
from datamodules.correlated import CorrelatedGaussian
from datamodules.errors import DataError
from datamodules.gaussian import Gaussian
from datamodules.laplace import Laplace
from datamodules.patches import Patches
from datamodules.physics import Physics
from datamodules.sawbridge import Sawbridge
from datamodules.source import Source
from datamodules.speech import Speech
from datamodules.uniform import Uniform

__all__ = [
    "Array",
    "Banana",
    "BananaMarginal",
    "BlockDataModule",
    "CorrelatedGaussian",
    "DataError",
    "Gaussian",
    "Laplace",
    "Patches",
    "Physics",
    "Sawbridge",
    "Source",
    "Speech",
    "Uniform",
]


def __getattr__(name: str) -> Any:
    # Lightning takes seconds to import, and who only wants samples should not wait for it.
    if name == "BlockDataModule":
        from datamodules.blocks import BlockDataModule

        return BlockDataModule
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
