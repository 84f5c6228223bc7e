"""What is possible: rate-distortion functions, their computation, and second moments of lattices.

- ``rate_distortion`` ``RateDistortionFunction``, what every bound answers
- ``gaussian`` ``GaussianRD``; ``WaterfillingRD`` for Gaussian vectors
- ``laplace`` ``LaplaceL1RD``, Laplace under absolute error
- ``discretized`` ``DiscretizedRD``, any density, pmf or samples in one or two dimensions
- ``grid`` ``density_on_grid``, ``histogram_on_grid``, ``halve_grid``
- ``alternating_minimization`` ``blahut_arimoto`` and its separable form, with a certified bracket
- ``kernels`` ``DenseKernel``, ``SeparableKernel``: the sums inside the iteration
- ``envelope`` ``RateDistortionEnvelope``, what a set of solved slopes proves
- ``sample_bound`` ``SampleUpperBound``, ``sample_bounds``: what samples prove is achievable
- ``wasserstein`` ``WassersteinDescent``, the reproduction points of such a bound
- ``sawbridge`` ``SawbridgeEntropyDistortion``, what one-shot coders of that source can reach
- ``shannon`` ``shannon_lower_bound`` from a differential entropy
- ``nsm`` ``space_filling_gap``, ``sphere_bound``, ``estimate_nsm``, ``entropy_of_points``
- ``running_mean`` ``RunningMean``, a mean and its standard error, chunk by chunk

Rates are in bits per symbol, distortions are means over symbols and components. The package needs torch and
numpy, and nothing else of this project.
"""

from __future__ import annotations

from .alternating_minimization import BlahutArimotoResult, blahut_arimoto, blahut_arimoto_separable
from .discretized import DiscretizedRD, DiscretizedSettings
from .envelope import RateDistortionEnvelope
from .gaussian import GaussianRD, WaterfillingRD
from .grid import density_on_grid, halve_grid, histogram_on_grid
from .kernels import DenseKernel, Kernel, SeparableKernel
from .laplace import LaplaceL1RD
from .nsm import EntropyEstimate, entropy_of_points, estimate_nsm, space_filling_gap, sphere_bound
from .rate_distortion import RateDistortionFunction
from .running_mean import RunningMean
from .sample_bound import AchievablePoint, SampleUpperBound, achievable_point, sample_bounds
from .sawbridge import SawbridgeEntropyDistortion
from .shannon import shannon_lower_bound
from .wasserstein import WassersteinDescent

__all__ = [
    "AchievablePoint",
    "BlahutArimotoResult",
    "DenseKernel",
    "DiscretizedRD",
    "DiscretizedSettings",
    "EntropyEstimate",
    "GaussianRD",
    "Kernel",
    "LaplaceL1RD",
    "RateDistortionEnvelope",
    "RateDistortionFunction",
    "RunningMean",
    "SampleUpperBound",
    "SawbridgeEntropyDistortion",
    "SeparableKernel",
    "WassersteinDescent",
    "WaterfillingRD",
    "achievable_point",
    "blahut_arimoto",
    "blahut_arimoto_separable",
    "density_on_grid",
    "entropy_of_points",
    "estimate_nsm",
    "halve_grid",
    "histogram_on_grid",
    "sample_bounds",
    "shannon_lower_bound",
    "space_filling_gap",
    "sphere_bound",
]
