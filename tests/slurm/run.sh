#!/usr/bin/env bash
# Try launcher=slurm on a real cluster of one node, this machine: python scripts/train.py must leave the same files
# through Slurm as without it; a job that another preempts, and one whose time is up, must go on where they were.
#
#   sudo apt-get install --no-install-recommends slurm-wlm munge
#   sudo tests/slurm/run.sh [PYTHON]        # PYTHON: an interpreter that has this package (default: .venv/bin/python)
#
# Needs Debian or Ubuntu, root (Slurm's daemons and munge), requirements-launchers.txt, two cores, 2 GB of free memory,
# the ports 16817 and 16818, and some ten minutes. Everything it writes is in a temporary folder. However it ends, the
# jobs and daemons that it started are stopped; the folder stays only after a failure, and is named then.
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=$(realpath -s "${1:-.venv/bin/python}")

needs() { echo "needs $*" >&2; exit 2; }
for program in slurmctld slurmd sbatch munged; do
    command -v "$program" >/dev/null || needs "$program: apt-get install slurm-wlm munge"
done
[ "$(id -u)" = 0 ] || needs "root, to start Slurm's daemons"
"$PYTHON" -c "import hydra_plugins.hydra_submitit_launcher" 2>/dev/null ||
    needs "$PYTHON -m pip install -r requirements-launchers.txt"

WORK=$(mktemp -d)
NODE=$(hostname -s)
export SLURM_CONF=$WORK/slurm.conf OMP_NUM_THREADS=1

TRAINING=

fail() { echo "FAILED: $*" >&2; exit 1; }
# what waits for a job, the jobs, the daemons (slurmd last of those that stop jobs), and the folder
clean_up() {
    status=$?
    trap - EXIT
    [ -z "$TRAINING" ] || { pkill -P "$TRAINING"; kill "$TRAINING"; } 2>/dev/null || true
    if [ -f "$WORK/slurmctld.pid" ]; then
        timeout 20 scancel --user=root 2>/dev/null || true
        for _ in $(seq 60); do [ -n "$(timeout 5 squeue --noheader 2>/dev/null)" ] || break; sleep 1; done
    fi
    for daemon in slurmctld slurmd munged; do stop "$daemon"; done
    if [ "$status" = 0 ]; then rm -rf "$WORK"; else echo "ended with status $status; see $WORK" >&2; fi
    exit "$status"
}
stop() {  # end a daemon of ours and wait until it has
    [ -f "$WORK/$1.pid" ] || return 0
    pid=$(cat "$WORK/$1.pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.2; done
}
wait_for() { for _ in $(seq 3000); do if eval "$1"; then return; fi; sleep 0.2; done; fail "waited ten minutes for: $1"; }

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
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
munged --force --key-file="$WORK/munge.key" --socket="$WORK/munge.socket" --pid-file="$WORK/munged.pid" \
    --log-file="$WORK/munged.log" --seed-file="$WORK/munge.seed"
slurmctld
slurmd -N "$NODE"
wait_for "sinfo --noheader --format=%T | grep --quiet idle"

TINY="profile=smoke task.omega=74 task.samples=60 batch_size=16 model.width=8 model.depth=2"
SLURM="launcher=slurm runtime.threads=1 hydra.launcher.mem_gb=1"

train() { "$PYTHON" scripts/train.py $TINY "$@"; }
logged() { cat "$WORK/$2"/.hydra/.submitit/*/*_log.* | grep --quiet "$1" || fail "$2: no job logged: $1"; }
same() {  # do two results folders hold the same bytes?
    (cd "$1" && find smoke -name '*.gz' -o -name median.csv -o -name config.yaml) | while read -r file; do
        cmp "$1/$file" "$2/$file" || fail "$1/$file differs"
    done
    [ "$(cd "$1" && find smoke -name runs.csv.gz | wc -l)" = "$(cd "$2" && find smoke -name runs.csv.gz | wc -l)" ] || fail "runs lack"
}

# So that a fast processor does not end a run before Slurm acts, the process that trains in a folder is stopped until
# then; with its signal Slurm lets it go on.
trainer() { grep -ho '"process": [0-9]*' "$(ls -t "$WORK/$1"/smoke/*/*/.holds/*.lock | head -1)" | grep -o '[0-9]*'; } 2>/dev/null
freeze() { kill -STOP "$(trainer "$1")" 2>/dev/null; }

echo "1. a sweep, its ensembles in parts"
SWEEP="experiment=fig1 method=random,homotopy seeds=3"
train $SWEEP results.root="$WORK/alone" >/dev/null
train $SWEEP runtime.seeds_per_job=2 $SLURM results.root="$WORK/cluster" >/dev/null 2>&1
same "$WORK/alone" "$WORK/cluster"

echo "2. what a cluster's user types, and a job that fails there"
TRAIN="$PYTHON scripts/train.py experiment=fig1 profile=smoke"
$TRAIN launcher=slurm results.root="$WORK/typed" >"$WORK/typed.out" 2>"$WORK/typed.err" || fail "experiment=fig1: $(cat "$WORK/typed.err")"
[ "$(grep --count "^$WORK/typed/smoke/" "$WORK/typed.out")" = 6 ] || fail "experiment=fig1 names: $(cat "$WORK/typed.out")"
$TRAIN results.root="$WORK/typed-alone" runtime.threads=2 >/dev/null 2>&1
same "$WORK/typed-alone" "$WORK/typed"
if $TRAIN launcher=slurm runtime.device=cuda method=random,homotopy results.root="$WORK/none" >/dev/null 2>"$WORK/none.err"; then
    fail "runtime.device=cuda on a node without a GPU succeeds"
fi
grep --quiet "PyTorch sees 0 GPUs" "$WORK/none.err" || fail "no word of the missing GPU: $(cat "$WORK/none.err")"
! grep --quiet Traceback "$WORK/none.err" || fail "a traceback: $(cat "$WORK/none.err")"

echo "3. a job that is preempted and requeued"
LONG="method=random seeds=2 budget.k=3000"
train $LONG results.root="$WORK/alone2" >/dev/null
train $LONG $SLURM results.root="$WORK/cluster2" >/dev/null 2>&1 &
TRAINING=$!
wait_for "freeze cluster2"
sbatch --partition=high --exclusive --output=/dev/null --wrap "sleep 1" >/dev/null
wait_for "ls $WORK/cluster2/smoke/*/*/checkpoint-*.pt >/dev/null 2>&1"
echo "   checkpoint written in the grace time"
wait_for "freeze cluster2; grep --quiet Requeuing $WORK/slurmctld.log"
echo "   requeued; Slurm waits two minutes before it starts it again"
touch "$WORK/requeued"
wait_for "find $WORK/cluster2 -path '*/.holds/*.lock' -newer $WORK/requeued | grep --quiet . && freeze cluster2"
touch "$WORK/asked"
scancel --signal=USR1 "$(squeue --noheader --format=%A)"
kill -CONT "$(trainer cluster2)"
wait_for "find $WORK/cluster2 -name 'checkpoint-*.pt' -newer $WORK/asked | grep --quiet ."
echo "   goes on, and writes a checkpoint when SIGUSR1 asks for one"
wait "$TRAINING" || fail "the preempted job"
TRAINING=
logged "Bypassing signal SIGTERM" cluster2
same "$WORK/alone2" "$WORK/cluster2"

echo "4. a job whose time is up"
# Slurm may send the signal a minute early, but not while Python starts: it would end the job
LIMIT="hydra.launcher.timeout_min=3 hydra.launcher.signal_delay_s=100"
train $LONG results.root="$WORK/cluster3" $SLURM $LIMIT >/dev/null 2>&1 &
TRAINING=$!
wait_for "freeze cluster3"
wait_for "cat $WORK/cluster3/.hydra/.submitit/*/*_log.* 2>/dev/null | grep --quiet 'Caught signal SIGUSR2'"
echo "   requeued once its time was up; from here on it has all the time it needs"
wait_for "squeue --noheader --format=%T | grep --quiet PENDING"
scontrol update JobId="$(squeue --noheader --format=%A)" TimeLimit=60
wait "$TRAINING" || fail "the job whose time was up"
TRAINING=
same "$WORK/alone2" "$WORK/cluster3"

echo "passed"
