"""Log-magnitude spectra of the frames of a waveform: the symbols of the Speech source."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["BINS", "FRAME", "frames_of", "log_spectra"]

FRAME, FFT, BINS = 63, 64, 33  # samples of a frame, points of its transform, frequencies 0 to half the sampling rate

# The authors' choice, machine epsilon of float64. It only keeps silence finite, at -36: the least value of theo is -22.
EPSILON = 2.0**-52


def frames_of(waveform: Tensor) -> Tensor:
    r"""The symbols of a waveform, one for every 63 consecutive samples:

    $$
    x_{t,k} = \ln\Big( \Big| \sum_{m=0}^{62} w_m \, s_{t+m} \, e^{-2\pi i k m / 64} \Big| + \epsilon \Big)
    $$

    with the symmetric Hann window $w_m = \sin^2(\pi m / 62)$ and $\epsilon = 2^{-52}$. It is
    `torch.stft(..., n_fft=64, hop_length=1, win_length=63, center=False)` of the waveform with a zero at its end, and
    what `tf.signal.stft(waveform, 63, 1)` does, whose "periodic" window is the symmetric one where the length is odd.
    Computed in float64: near a zero of the spectrum, float32 would leave nothing but its own rounding.

    Args:
        waveform: s, [..., samples], at least 63 samples of full scale 1.

    Returns:
        [..., samples - 62, 33], float32.

    Raises:
        ValueError: there are fewer than 63 samples.

    Examples:
        >>> tone = torch.sin(2 * torch.pi * 1000 / 8000 * torch.arange(8000))
        >>> frames = frames_of(tone)  # 1 kHz: bin 8 of 0 to 32
        >>> frames.shape, frames[0].argmax().item()
        (torch.Size([7938, 33]), 8)
    """
    if waveform.shape[-1] < FRAME:
        raise ValueError(f"a frame needs {FRAME} samples, but the waveform has {waveform.shape[-1]}.")
    return log_spectra(waveform.unfold(-1, FRAME, 1))


def log_spectra(windows: Tensor) -> Tensor:
    """The spectra of windows of samples: [..., 63] -> [..., 33], float32."""
    hann = torch.hann_window(FRAME, periodic=False, dtype=torch.float64, device=windows.device)
    return (torch.fft.rfft(windows * hann, n=FFT).abs() + EPSILON).log().float()
