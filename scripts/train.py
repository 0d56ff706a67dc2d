"""Train one configuration, or all of an experiment: `python scripts/train.py experiment=fig1`."""

from __future__ import annotations

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from homotopy import cli  # noqa: E402  (found beside this folder, installed or not)


@hydra.main(version_base="1.3", config_path="../conf", config_name="config")
def main(config: DictConfig) -> None:
    """Do what the composed configuration says."""
    cli.do(OmegaConf.to_container(config, resolve=True))


if __name__ == "__main__":
    cli.guard(cli.start, main, sys.argv[0], sys.argv[1:])
