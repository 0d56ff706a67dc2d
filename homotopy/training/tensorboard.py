"""A live view of training, `runtime.logger=tensorboard`. Nothing reads it back: figures use the results' files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from torch import Tensor

from homotopy.config import Config

Show = Callable[[int, Mapping[str, Tensor]], None]


@contextmanager
def curves(config: Config, seeds: Sequence[int], done: int) -> Iterator[Show]:
    """Yield a function that shows metrics, each (S,), at an epoch; what was shown after epoch `done` is replaced.

    Tensorboard's files go to <results>/.tensorboard/<profile>/<task>/<method>-<hash8>/, a run per group of seeds.
    """
    if config.runtime.logger == "none":
        yield lambda epoch, metrics: None
        return
    from torch.utils.tensorboard import SummaryWriter

    folder = config.results / ".tensorboard" / config.folder.relative_to(config.results)
    with SummaryWriter(str(folder / f"seeds-{min(seeds)}-{max(seeds)}"), purge_step=done + 1) as writer:

        def show(epoch: int, metrics: Mapping[str, Tensor]) -> None:
            for name, values in metrics.items():
                writer.add_scalar(f"median/{name}", float(values.median()), epoch)
                for seed, value in zip(seeds, values.tolist(), strict=True):
                    writer.add_scalar(f"{name}/seed {seed}", value, epoch)

        yield show
