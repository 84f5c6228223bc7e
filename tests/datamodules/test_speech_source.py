"""The Speech source: its frames against other Fourier transforms, its split, the real recordings, wrong files."""

import shutil
import wave

import numpy as np
import pytest
import torch

from datamodules import DataError, Speech
from ltc.transforms.log_spectrum import frames_of

EPSILON = np.finfo(float).eps


def write(path, samples, channels=1, width=2, rate=8000):
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(np.asarray(samples).astype(f"<i{width}").tobytes())


def read(path):
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def keys(rows):
    return {row.tobytes() for row in rows.numpy()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """500 recordings of noise, 70 to 99 samples long."""
    folder, rng = tmp_path_factory.mktemp("speech") / "fsdd", np.random.default_rng(0)
    folder.mkdir()
    for digit in range(10):
        for index in range(50):
            samples = rng.integers(-32768, 32768, 70 + (7 * digit + index) % 30)
            write(folder / f"{digit}_theo_{index}.wav", samples)
    return folder.parent


@pytest.fixture
def broken(folder, tmp_path):
    """A copy of the folder, to be damaged."""
    return shutil.copytree(folder, tmp_path / "copy")


def frames_of_recordings(folder, indices):
    """Frame after frame by numpy alone."""
    window = np.sin(np.pi * np.arange(63) / 62) ** 2
    frames = []
    for digit in range(10):
        for index in indices:
            samples = read(folder / "fsdd" / f"{digit}_theo_{index}.wav")
            for start in range(len(samples) - 62):
                padded = np.append(samples[start : start + 63] * window, 0)
                frames.append(np.log(np.abs(np.fft.rfft(padded)) + EPSILON))
    return torch.tensor(np.array(frames))


def assert_same_rows(found, expected):
    """The same rows, each as often, in whatever order (no two of them are close)."""
    order = [rows[rows[:, 0].argsort()] for rows in (found.double(), expected)]
    torch.testing.assert_close(order[0], order[1], rtol=1e-5, atol=1e-5)


def test_the_test_set_is_every_frame_of_recordings_0_to_4(folder):
    test = Speech(folder).test_set()
    assert test.dtype == torch.float32
    assert_same_rows(test, frames_of_recordings(folder, range(5)))


def test_training_draws_every_frame_of_recordings_5_to_49_and_only_these(folder):
    expected = frames_of_recordings(folder, range(5, 50))
    rows = Speech(folder).sample(30 * len(expected), torch.Generator().manual_seed(0))
    assert_same_rows(rows.unique(dim=0), expected)
    # Each as likely as another: the counts are multinomial.
    counts = torch.unique(rows, dim=0, return_counts=True)[1].double()
    assert abs(float(counts.var()) / 30 - 1) < 6 * (2 / len(expected)) ** 0.5


def test_the_order_of_the_test_set_is_shuffled_and_fixed(folder):
    test, again = Speech(folder).test_set(), Speech(folder).test_set()
    assert torch.equal(test, again)
    first = frames_of(torch.from_numpy(read(folder / "fsdd" / "0_theo_0.wav")))
    assert len(keys(test[: len(first)]) & keys(first)) < 10


def test_no_bound_and_no_energy_are_known_and_the_measure_is_mse(folder):
    source = Speech(folder)
    assert source.rate_distortion() is None and source.energy is None and source.measure == "mse"
    with pytest.raises(ValueError, match=r"speech.*mse.*'l1'"):
        Speech(folder, measure="l1")


@pytest.mark.parametrize("samples", [63, 64, 65, 300])
def test_frames_are_torchs_stft(samples):
    x = torch.randn(samples)
    frames = frames_of(x)
    padded = torch.nn.functional.pad(x.double(), (0, 1))
    window = torch.hann_window(63, periodic=False, dtype=torch.float64)
    spectra = torch.stft(padded, 64, 1, 63, window, center=False, return_complex=True).abs().T
    assert frames.shape == (samples - 62, 33) and frames.dtype == torch.float32
    torch.testing.assert_close(frames.double(), (spectra + EPSILON).log(), rtol=1e-6, atol=1e-6)


def test_frames_are_scipys_spectrogram():
    signal = pytest.importorskip("scipy.signal")
    x = torch.randn(200)
    transform = signal.ShortTimeFFT(signal.windows.hann(63, sym=True), hop=1, fs=1, mfft=64)
    # scipy centres a frame on its time: those that lie within the waveform are the middle ones.
    spectra = np.abs(transform.stft(x.double().numpy(), p0=31, p1=31 + 138)).T
    np.testing.assert_allclose(frames_of(x).numpy(), np.log(spectra + EPSILON), rtol=1e-5, atol=1e-5)


def test_frames_of_many_waveforms_at_once():
    x = torch.randn(2, 3, 100)
    frames = frames_of(x)
    assert frames.shape == (2, 3, 38, 33)
    torch.testing.assert_close(frames[1, 2], frames_of(x[1, 2]))


def test_scale_is_an_offset_and_silence_is_the_logarithm_of_epsilon():
    x = torch.randn(100)
    torch.testing.assert_close(frames_of(8 * x), frames_of(x) + np.log(8), rtol=1e-5, atol=1e-5)
    assert torch.equal(frames_of(torch.zeros(63)), torch.full((1, 33), -36.0436534))


def test_a_waveform_shorter_than_a_frame_is_refused():
    with pytest.raises(ValueError, match="63 samples, but the waveform has 62"):
        frames_of(torch.zeros(62))


def test_the_real_recordings(data_dir):
    if not (data_dir / "fsdd").is_dir():
        pytest.skip("no folder fsdd under LTC_DATA_DIR or ../shared/data: see datamodules/speech.py")
    source = Speech(data_dir)
    train, test = source.sample(20_000, torch.Generator().manual_seed(0)), source.test_set()
    assert test.shape == (125_701, 33) and train.isfinite().all() and test.isfinite().all()
    assert int(source._ends[-1]) == 1_398_748
    assert not keys(train) & keys(test)
    assert 1.0 < train.var(0).mean() < 4.0 and -8 < train.mean() < -4
    assert abs(train.mean() - test.mean()) < 0.5


def test_a_missing_folder_is_one_clear_sentence(tmp_path):
    with pytest.raises(DataError, match=r"fsdd does not exist; .*500 recordings.*https://") as caught:
        Speech(tmp_path)
    text = str(caught.value)
    assert str(tmp_path) in text and "\n" not in text and text.endswith(".")


def test_missing_recordings_are_counted_and_the_first_is_named(broken):
    for name in ("3_theo_7.wav", "9_theo_49.wav"):
        (broken / "fsdd" / name).unlink()
    with pytest.raises(DataError, match=r"3_theo_7\.wav does not exist \(2 missing\); .*500 recordings"):
        Speech(broken)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(b""), "no readable WAV file"),
        (lambda path: path.write_bytes(b"not a recording at all"), "no readable WAV file"),
        (lambda path: write(path, np.zeros(62)), "has 62 samples"),
        (lambda path: write(path, np.zeros(200), channels=2), "2 channels of 16 bits at 8000 Hz"),
        (lambda path: write(path, np.zeros(200), rate=16000), "1 channels of 16 bits at 16000 Hz"),
        (lambda path: write(path, np.zeros(200), width=4), "1 channels of 32 bits at 8000 Hz"),
    ],
    ids=["empty", "garbage", "short", "stereo", "rate", "width"],
)
def test_a_wrong_recording_is_one_clear_sentence(broken, damage, message):
    damage(broken / "fsdd" / "4_theo_20.wav")
    with pytest.raises(DataError, match=message) as caught:
        Speech(broken)
    text = str(caught.value)
    assert "4_theo_20.wav" in text and "mono, of 16 bits at 8000 Hz" in text and text.endswith(".")
