"""A history of generated images that keeps a discriminator from forgetting earlier ones.

Ashish Shrivastava, Tomas Pfister, Oncel Tuzel, Josh Susskind, Wenda Wang, Russ Webb. Learning from
Simulated and Unsupervised Images through Adversarial Training. CVPR 2017.
https://arxiv.org/abs/1612.07828, section 2.3; as in CycleGAN (https://arxiv.org/abs/1703.10593,
section 4).
"""

import torch
from torch import Tensor

from srmodels.distributed import collectives
from srmodels.objectives.turn import PERSISTENT, Shared


def query_pool(images: Tensor, shared: Shared, name: str, *, size: int) -> Tensor:
    """Exchanges about half of the images for older ones once the pool is full.

    The pool stores and returns every image until it has `size`; then it exchanges, with probability
    1/2, an image for a random stored one. All processes hold the same pool, `shared`'s
    "persistent/<name>", which takes the images of the whole batch. Random numbers come from
    PyTorch's CPU generator.
    """
    if size == 0:
        return images
    key = f"{PERSISTENT}{name}"
    first = key not in shared
    assert not first or int(shared.get("step", torch.tensor(0))) == 0, (
        f"the engine keeps persistent tensors from step to step; {key} is missing"
    )
    pool = images[:0] if first else shared[key].to(images)
    batch = collectives.all_gather(images)
    exchanged = []
    for index in range(len(batch)):
        image = batch[index : index + 1]
        if len(pool) < size:
            pool = torch.cat([pool, image])
        elif torch.rand(()) < 0.5:
            place = int(torch.randint(size, ()))
            stored = pool[place : place + 1].clone()
            pool[place : place + 1] = image
            image = stored
        exchanged.append(image)
    shared[key] = pool
    return torch.cat(exchanged[collectives.local_slice(len(batch))])
