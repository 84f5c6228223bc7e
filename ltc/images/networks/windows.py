"""Attention in windows (Swin transformer blocks, torchvision's) on [batch, channels, height, width]."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models.swin_transformer import SwinTransformerBlock

__all__ = ["Windows", "merge", "split"]


class Windows(nn.Module):
    """Swin transformer blocks, every second one with shifted windows.

    Reference: Liu et al., "Swin Transformer", ICCV 2021, arXiv:2103.14030.

    Args:
        channels: of input and output.
        depth: blocks.
        window: height and width of a window.
        head: channels of an attention head, a divisor of channels.
        shift: whether the first block has shifted windows already.

    Raises:
        ValueError: if head does not divide channels.
    """

    def __init__(self, channels: int, depth: int, window: int, head: int, shift: bool = False) -> None:
        super().__init__()
        if channels % head:
            raise ValueError(f"Attention heads of {head} channels do not divide {channels} channels.")
        self.blocks = nn.Sequential(
            *(
                SwinTransformerBlock(
                    channels,
                    channels // head,
                    window_size=[window, window],
                    shift_size=[window // 2 * ((i + shift) % 2)] * 2,
                )
                for i in range(depth)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).contiguous()


class _Pointwise(nn.Module):
    """A normalization over channels and a linear map of them, at each position."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(inputs), nn.Linear(inputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).contiguous()


def merge(inputs: int, outputs: int) -> nn.Module:
    """Four neighbouring positions become one: half the height and width."""
    return nn.Sequential(nn.PixelUnshuffle(2), _Pointwise(4 * inputs, outputs))


def split(inputs: int, outputs: int) -> nn.Module:
    """One position becomes four: twice the height and width."""
    return nn.Sequential(_Pointwise(inputs, 4 * outputs), nn.PixelShuffle(2))
