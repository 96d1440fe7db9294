"""Who watches what torch computes: tapes, transforms, modes, a compiler."""

from __future__ import annotations

from typing import Any

import torch
import torch.autograd.forward_ad as forward_ad

TENSORS = (torch.Tensor, torch.nn.Parameter)


def transforming() -> bool:
    """Whether a transform of torch.func is active; torch has no public way to ask."""
    return torch._C._are_functorch_transforms_active()


def is_differentiated(x: torch.Tensor) -> bool:
    if torch.compiler.is_compiling() or transforming():
        return True
    return (torch.is_grad_enabled() and x.requires_grad) or forward_ad.unpack_dual(x).tangent is not None


def is_watched() -> bool:
    """Whether something else than a tape sees what is computed: a compiler, a transform, a mode."""
    return (
        torch.compiler.is_compiling()
        or transforming()
        or torch._C._len_torch_dispatch_stack() > 0
        or torch._C._get_tracing_state() is not None
    )


def is_plain(*arrays: Any) -> bool:
    """Whether a call runs eagerly, at once, and on at most a reverse tape: nothing transforms it."""
    if is_watched():
        return False
    for x in arrays:
        if isinstance(x, torch.Tensor):
            if type(x) not in TENSORS or x.device.type == "meta":
                return False
            if x.is_floating_point() and forward_ad.unpack_dual(x).tangent is not None:
                return False
    return True


def is_on_cpu(*arrays: Any) -> bool:
    """Whether a plain call's tensors are all in memory."""
    return is_plain(*arrays) and all(x.is_cpu for x in arrays if isinstance(x, torch.Tensor))
