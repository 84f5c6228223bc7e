"""Whether a lattice tiles a block's latents: asked before anything heavy is made."""

from __future__ import annotations

from conf.resolvers import block_length

__all__ = ["check_blocks"]


def check_blocks(n: int, latents: int, lattice: str, lattice_dim: int) -> None:
    """Refuses blocks that the lattice does not tile.

    Args:
        n: symbols of a block.
        latents: latents of a symbol.
        lattice: its name, for the message.
        lattice_dim: its dimension.

    Raises:
        ValueError: if it does not.
    """
    if n * latents % lattice_dim or n < 1:
        fit = block_length(latents, lattice_dim)
        raise ValueError(
            f"n={n} makes {n * latents} latents, but lattice={lattice} tiles multiples of "
            f"{lattice_dim}: set n to a multiple of {fit} (or leave it out), or choose another lattice."
        )
