"""usage: python scripts/train.py [GROUP=CHOICE ...] [KEY=VALUE ...]

Train what is missing of one configuration, or of an experiment: all the runs behind a figure or a table.

examples:
  python scripts/train.py                                      the homotopy on omega 137
  python scripts/train.py task.omega=74 method=random schedule.gamma=5 seeds=20
  python scripts/train.py method=random,warmstart,homotopy task.omega=74,137     all combinations
  python scripts/train.py task=mnist_fashion                   from MNIST to FashionMNIST
  python scripts/train.py experiment=fig1                      Figure 1 with fewer seeds
  python scripts/train.py experiment=fig1,fig8 profile=paper   Figures 1 and 8 with all seeds

groups and their choices:
  {experiment}
  {task}
  {method}
  {schedule}
  {optimizer}
  {model}
  {profile}
  {launcher}

often set: seeds=8 (or [0,7]), task.omega, schedule.gamma, budget.k and budget.final (epochs), optimizer.lr,
batch_size, runtime.device=cpu (or cuda:0), results.root=DIR
all settings: python scripts/train.py --cfg job (add experiment=fig1 for those of an experiment)
tab completion: eval "$(python scripts/train.py -sc install=bash)"; more of Hydra: --hydra-help
"""

from __future__ import annotations

import sys

from _start import imports

with imports():
    from homotopy import script

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    print(script.page(__doc__ or ""))
    sys.exit()
with imports():
    import hydra
    from omegaconf import DictConfig, OmegaConf

    from homotopy import cli


@hydra.main(version_base="1.3", config_path="../conf", config_name="config")
def main(config: DictConfig) -> None:
    """Do what the composed configuration says."""
    cli.do(OmegaConf.to_container(config, resolve=True))


if __name__ == "__main__":
    then = "goes on from the last checkpoint; what saves no runs, such as experiment=why, begins anew"
    script.guard(cli.start, main, sys.argv[0], sys.argv[1:], again=then)
