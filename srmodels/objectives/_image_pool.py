"""A history of generated images, so that a discriminator does not forget its past opponents.

Ashish Shrivastava, Tomas Pfister, Oncel Tuzel, Josh Susskind, Wenda Wang, Russ Webb. Learning from
Simulated and Unsupervised Images through Adversarial Training. CVPR 2017.
https://arxiv.org/abs/1612.07828, section 2.3; as CycleGAN (https://arxiv.org/abs/1703.10593,
section 4) uses it.

The history is a tensor in the memo and nowhere else: what is under "kept/" there the engine keeps
from step to step and in its checkpoints. What is drawn comes from the CPU's random state, which it
saves too. So a resumed training sees the images an uninterrupted one would have. Processes that
train together have one history: each exchanges the whole batch's images and shows its own part.
"""

import torch
from torch import Tensor

from srmodels.distributed import collectives
from srmodels.objectives.turn import Memo

__all__ = ["replayed"]


def replayed(fresh: Tensor, memo: Memo, name: str, *, size: int) -> Tensor:
    """A batch of images, about half of them old ones once the history is full.

    A history that is not full takes every image and shows it; a full one exchanges, with
    probability 1/2, an image for one of its own, and shows that.

    Args:
        fresh: (N, 3, H, W), detached.
        memo: Holds the history "kept/<name>", (up to size, 3, H, W), from the step before; gets it
            changed.
        name: Of the history.
        size: Images it holds; 0 shows fresh ones only.

    Returns:
        (N, 3, H, W).
    """
    if size == 0:
        return fresh
    key = f"kept/{name}"
    begins = key not in memo
    assert not begins or int(memo.get("step", torch.tensor(0))) == 0, (
        f"the engine hands back what a step left under kept/; {key} is missing"
    )
    pool = fresh[:0] if begins else memo[key].to(fresh)
    batch = collectives.all_gather(fresh)
    shown = []
    for index in range(len(batch)):
        image = batch[index : index + 1]
        if len(pool) < size:
            pool = torch.cat([pool, image])
        elif torch.rand(()) < 0.5:
            place = int(torch.randint(size, ()))
            old = pool[place : place + 1].clone()
            pool[place : place + 1] = image
            image = old
        shown.append(image)
    memo[key] = pool
    return torch.cat(shown[collectives.local_slice(len(batch))])
