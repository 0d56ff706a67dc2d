#!/usr/bin/env bash
# Try launcher=slurm on a real cluster of one node, this machine: python scripts/train.py must leave the same files
# through Slurm as without it; a job that another preempts, and one whose time is up, must go on where they were.
#
#   sudo apt-get install --no-install-recommends slurm-wlm munge
#   sudo tests/slurm/run.sh [PYTHON]        # PYTHON: an interpreter with the requirements (default: .venv/bin/python)
#
# Needs Debian or Ubuntu, root (Slurm's daemons and munge), requirements-launchers.txt, two cores and some five minutes.
# Everything it writes is in a temporary folder, and the daemons that it starts are stopped at the end.
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=$(realpath -s "${1:-.venv/bin/python}")
WORK=$(mktemp -d)
NODE=$(hostname -s)
export SLURM_CONF=$WORK/slurm.conf OMP_NUM_THREADS=1

fail() { echo "FAILED: $*; see $WORK" >&2; trap - EXIT; stop; exit 1; }
stop() { for daemon in slurmd slurmctld munged; do [ -f "$WORK/$daemon.pid" ] && kill "$(cat "$WORK/$daemon.pid")" || true; done; }
wait_for() { for _ in $(seq 3000); do if eval "$1"; then return; fi; sleep 0.2; done; fail "waited ten minutes for: $1"; }

for program in slurmctld slurmd sbatch munged; do
    command -v "$program" >/dev/null || { echo "needs $program: apt-get install slurm-wlm munge" >&2; exit 2; }
done
[ "$(id -u)" = 0 ] || { echo "needs root, to start Slurm's daemons" >&2; exit 2; }
"$PYTHON" -c "import hydra_plugins.hydra_submitit_launcher" ||
    { echo "needs $PYTHON -m pip install -r requirements-launchers.txt" >&2; exit 2; }

cat > "$SLURM_CONF" <<CONF
ClusterName=homotopy
SlurmctldHost=$NODE(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$WORK/munge.socket
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$WORK/state
SlurmdSpoolDir=$WORK/spool
SlurmctldPidFile=$WORK/slurmctld.pid
SlurmdPidFile=$WORK/slurmd.pid
SlurmctldLogFile=$WORK/slurmctld.log
SlurmdLogFile=$WORK/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=batch_sched_delay=0,sched_interval=5
KillWait=30
ReturnToService=2
NodeName=$NODE NodeAddr=127.0.0.1 CPUs=2 RealMemory=8000 State=UNKNOWN
PartitionName=low Nodes=$NODE Default=YES PriorityTier=1 GraceTime=10 MaxTime=INFINITE State=UP
PartitionName=high Nodes=$NODE PriorityTier=2 PreemptMode=OFF MaxTime=INFINITE State=UP
CONF
mkdir "$WORK/state" "$WORK/spool"
chmod 755 "$WORK"
dd if=/dev/urandom of="$WORK/munge.key" bs=128 count=1 status=none
chmod 400 "$WORK/munge.key"
trap stop EXIT
munged --force --key-file="$WORK/munge.key" --socket="$WORK/munge.socket" --pid-file="$WORK/munged.pid" \
    --log-file="$WORK/munged.log" --seed-file="$WORK/munge.seed"
slurmctld
slurmd -N "$NODE"
wait_for "sinfo --noheader --format=%T | grep --quiet idle"

TINY="profile=smoke task.omega=74 task.samples=60 batch_size=16 model.width=8 model.depth=2"
SLURM="launcher=slurm threads=1 hydra.launcher.mem_gb=1"

train() { "$PYTHON" scripts/train.py $TINY "$@"; }
logged() { cat "$WORK/$2"/.hydra/.submitit/*/*_log.* | grep --quiet "$1" || fail "$2: no job logged: $1"; }
same() {  # do two results folders hold the same bytes?
    (cd "$1" && find smoke -name '*.gz' -o -name median.csv -o -name config.yaml) | while read -r file; do
        cmp "$1/$file" "$2/$file" || fail "$1/$file differs"
    done
    [ "$(cd "$1" && find smoke -name runs.csv.gz | wc -l)" = "$(cd "$2" && find smoke -name runs.csv.gz | wc -l)" ] || fail "runs lack"
}

echo "1. a sweep, its ensembles in parts"
SWEEP="experiment=fig1 method=random,homotopy seeds=3"
train $SWEEP results.root="$WORK/alone" >/dev/null
train $SWEEP seeds_per_job=2 $SLURM results.root="$WORK/cluster" >/dev/null 2>&1
same "$WORK/alone" "$WORK/cluster"

echo "2. a job that is preempted and requeued"
LONG="method=random seeds=2 budget.k=3000"
train $LONG results.root="$WORK/alone2" >/dev/null
train $LONG $SLURM results.root="$WORK/cluster2" >/dev/null 2>&1 &
TRAINING=$!
wait_for "ls $WORK/cluster2/smoke/*/*/.holds/*.lock >/dev/null 2>&1"
sbatch --partition=high --exclusive --output=/dev/null --wrap "sleep 1" >/dev/null
wait_for "ls $WORK/cluster2/smoke/*/*/checkpoint-*.pt >/dev/null 2>&1"
echo "   checkpoint written in the grace time"
wait_for "grep --quiet Requeuing $WORK/slurmctld.log"
echo "   requeued; Slurm waits two minutes before it starts it again"
wait "$TRAINING" || fail "the preempted job"
logged "Bypassing signal SIGTERM" cluster2
same "$WORK/alone2" "$WORK/cluster2"

echo "3. a job whose time is up"
LIMIT="hydra.launcher.timeout_min=2 hydra.launcher.signal_delay_s=110"  # Slurm may send the signal a minute early
train $LONG results.root="$WORK/cluster3" $SLURM $LIMIT >/dev/null 2>&1
logged "Caught signal SIGUSR2" cluster3
same "$WORK/alone2" "$WORK/cluster3"

trap - EXIT
stop
rm -rf "$WORK"
echo "passed"
