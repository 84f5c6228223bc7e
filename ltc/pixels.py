"""Image files to arrays of pixels and back: whatever mode a PNG or JPEG has, three channels of eight bits."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from torch import Tensor

__all__ = ["SUFFIXES", "read_image", "to_image", "to_pixels", "write_image"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".tif", ".tiff", ".webp")
"""Names of image files, in lower case."""


def read_image(
    file: BinaryIO | Path | str, name: str | None = None, note: Callable[[str], None] = lambda lost: None
) -> Tensor:
    """The pixels of an image file: uint8 [3, height, width], red, green, blue.

    Grayscale is repeated, palettes are looked up, 16 bits are rounded to 8, transparency is laid over white, and a
    photograph is turned the way its camera says.

    Args:
        file: the file, or its path.
        name: how messages call it; the path if not given.
        note: told what of the file these pixels do not have (transparency, 16 bits, further pictures, other colours
            than sRGB's), in words that go on from the file's name: "has transparency, which is laid over white".

    Raises:
        ValueError: if it is no image that can be read.
        MemoryError: if there is not enough memory for its pixels.

    Examples:
        >>> import io
        >>> file = io.BytesIO()
        >>> Image.new("L", (5, 2), 7).save(file, "PNG")
        >>> read_image(file, "gray.png").shape
        torch.Size([3, 2, 5])
    """
    name = str(file) if name is None else name
    try:
        with warnings.catch_warnings():
            # An image so large that it may be an attack is refused, not warned of.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Odd metadata of an image that can be read is nobody's concern.
            warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
            with Image.open(file) as image:
                # Known before its pixels are there, and not after.
                wide = _is_wide(image) or _was_wide(image)
                image.load()
                for lost in _lost(image, wide):
                    note(lost)
                pixels = np.asarray(_rgb(ImageOps.exif_transpose(image)))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"{name} has more pixels than are taken for an image: {error}") from error
    except (FileNotFoundError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise ValueError(f"{name} is no image that can be read (its bytes are those of no image format).") from error
    except Exception as error:
        # Decoders of damaged files fail in many ways.
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise ValueError(f"{name} is no image that can be read ({_short(reason)}).") from error
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).contiguous()


def write_image(file: BinaryIO | Path | str, pixels: Tensor) -> None:
    """Writes uint8 [3, height, width] as a PNG, which loses nothing."""
    Image.fromarray(pixels.permute(1, 2, 0).contiguous().cpu().numpy()).save(file, format="PNG")


def to_image(pixels: Tensor) -> Tensor:
    """Pixels as networks take them: uint8 [..., 3, height, width] to float32 in [0, 1]."""
    return pixels.to(torch.float32) / 255


def to_pixels(image: Tensor) -> Tensor:
    """The nearest pixels: float [..., 3, height, width] in [0, 1] (cut off there) to uint8."""
    return (image.detach().clamp(0, 1) * 255).round().to(torch.uint8)


def _lost(image: Image.Image, wide: bool) -> list[str]:
    """What three channels of eight bits do not have of an image that has been loaded."""
    found = []
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        found.append(f"holds {frames} pictures, of which the first one is taken")
    if _has_alpha(image) and image.convert("RGBA").getchannel("A").getextrema()[0] != 255:
        found.append("has transparency, which is laid over white")
    if wide:
        found.append("has more than 8 bits a channel, of which 8 are kept")
    profile = _profile(image)
    if profile is not None and "srgb" not in profile.lower():
        found.append(f"has the colour profile {profile}, which is not kept: its numbers are taken for sRGB")
    return found


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.mode or "a" in image.mode or "transparency" in image.info


def _is_wide(image: Image.Image) -> bool:
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def _was_wide(image: Image.Image) -> bool:
    """Whether a decoder is about to cut channels of 16 bits: Pillow has no colours of more than 8."""
    for tile in getattr(image, "tile", []):
        arguments = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        if any(isinstance(a, str) and ";16" in a for a in arguments):
            return True
        if image.format == "PPM" and any(isinstance(a, int) and a > 255 for a in arguments):
            return True
    return False


def _profile(image: Image.Image) -> str | None:
    """The name of an image's colour profile; None where it has none, or none that can be read."""
    data = image.info.get("icc_profile")
    if not data:
        return None
    try:
        return _short(ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(data))).strip())
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _rgb(image: Image.Image) -> Image.Image:
    if _is_wide(image):
        # Grayscale of 16 bits, or of 8 in a wider type.
        values = np.asarray(image).astype(np.float64)
        if not np.isfinite(values).all():
            raise ValueError("its values are not finite")
        values = values / 257 if image.mode != "F" and values.max(initial=0) > 255 else values
        return Image.fromarray(values.round().clip(0, 255).astype(np.uint8)).convert("RGB")
    if _has_alpha(image):
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _short(text: str) -> str:
    return text if len(text) < 120 else text[:117] + "..."
