"""What is possible: rate-distortion functions, their computation, and second moments of lattices.

- ``rate_distortion`` :class:`RateDistortionFunction`, what every bound answers
- ``gaussian`` :class:`GaussianRD`; :class:`WaterfillingRD` for Gaussian vectors
- ``laplace`` :class:`LaplaceL1RD`, Laplace under absolute error
- ``discretized`` :class:`DiscretizedRD`, any density, pmf or samples in one or two dimensions
- ``grid`` :func:`density_on_grid`, :func:`histogram_on_grid`, :func:`halve_grid`
- ``alternating_minimization`` :func:`blahut_arimoto` and its separable form, with a certified bracket
- ``kernels`` :class:`DenseKernel`, :class:`SeparableKernel`: the sums inside the iteration
- ``envelope`` :class:`RateDistortionEnvelope`, what a set of solved slopes proves
- ``sample_bound`` :class:`SampleUpperBound`, :func:`sample_bounds`: what samples prove is achievable
- ``wasserstein`` :class:`WassersteinDescent`, the reproduction points of such a bound
- ``sawbridge`` :class:`SawbridgeEntropyDistortion`, what one-shot coders of that source can reach
- ``shannon`` :func:`shannon_lower_bound` from a differential entropy
- ``nsm`` :func:`space_filling_gap`, :func:`sphere_bound`, :func:`estimate_nsm`, :func:`entropy_of_points`
- ``running_mean`` :class:`RunningMean`, a mean and its standard error, chunk by chunk

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
