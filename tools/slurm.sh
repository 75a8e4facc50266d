#!/usr/bin/env bash
# tools/slurm.sh start|stop [FOLDER]: a SLURM cluster of one node with two slots on this machine, for tests; no systemd,
# and nothing outside FOLDER. Debian's packages slurm-wlm and munge are all it needs. Commands find it by SLURM_CONF.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

usage="usage: tools/slurm.sh start|stop [FOLDER], which is /tmp/fetal_seg_slurm where none is given"
action="${1:-}" folder="$(realpath -m "${2:-/tmp/fetal_seg_slurm}")"
conf="$folder/slurm.conf"

fail() { echo "tools/slurm.sh: $1" >&2; exit 2; }
is_running() { [ -f "$folder/$1.pid" ] && kill -0 "$(cat "$folder/$1.pid")" 2>/dev/null; }

is_gone() { ! is_running "$1"; }

# Wait at most SECONDS for a command to succeed
await() {
  local seconds="$1"; shift
  for _ in $(seq $((seconds * 5))); do "$@" >/dev/null 2>&1 && return; sleep 0.2; done
  return 1
}

free_ports() {
  python3 -c 'import socket; all = [socket.socket() for _ in "ab"]
[one.bind(("127.0.0.1", 0)) for one in all]; print(*[one.getsockname()[1] for one in all])'
}

write_conf() {
  local host of_ctld of_slurmd
  host="$(hostname -s)"
  read -r of_ctld of_slurmd <<<"$(free_ports)"
  cat >"$conf" <<EOF
ClusterName=fetal_seg
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$of_ctld
SlurmdPort=$of_slurmd
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
# a job that is requeued waits for its credential to expire, by default two minutes
AuthInfo=socket=$folder/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
# no control groups, which containers lack
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,sched_min_interval=0,bf_interval=1
MpiDefault=none
JobRequeue=1
ReturnToService=2
KillWait=20
MinJobAge=300
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 Sockets=1 CoresPerSocket=2 ThreadsPerCore=1 RealMemory=4000
PartitionName=local Nodes=$host Default=YES MaxTime=INFINITE State=UP
EOF
}

start() {
  local missing=""
  for command in munged slurmctld slurmd sbatch; do command -v "$command" >/dev/null || missing+=" $command"; done
  [ -z "$missing" ] || fail "${missing# } cannot be found; install them, in Debian by apt-get install slurm-wlm munge"
  ! is_running slurmctld || fail "a cluster runs in $folder already; tools/slurm.sh stop $folder ends it"
  [ ! -e "$folder" ] || [ -f "$conf" ] || fail "$folder holds other files; give a folder that is not there yet"
  rm -rf "$folder"; mkdir -p "$folder"/{munge,state,spool}; chmod 755 "$folder" "$folder/munge"
  head -c 1024 /dev/urandom >"$folder/munge/key"; chmod 400 "$folder/munge/key"
  munged --force --socket="$folder/munge/socket" --key-file="$folder/munge/key" --pid-file="$folder/munged.pid" \
    --log-file="$folder/munged.log" --seed-file="$folder/munge/seed" 2>"$folder/start.log" ||
    fail "munged does not start: $(tail -1 "$folder/start.log")"
  write_conf
  export SLURM_CONF="$conf"
  slurmctld -c -f "$conf" 2>"$folder/start.log" || fail "slurmctld does not start: $(tail -1 "$folder/start.log")"
  await 10 scontrol ping || fail "slurmctld does not answer; see $folder/slurmctld.log"
  slurmd -f "$conf" -N "$(hostname -s)" 2>"$folder/start.log" || fail "slurmd does not start: $(tail -1 "$folder/start.log")"
  await 30 srun --immediate=5 true || fail "the node takes no job; see $folder/slurmd.log"
  echo "export SLURM_CONF=$conf"
}

no_jobs() { [ -z "$(squeue --noheader)" ]; }

stop() {
  [ -f "$conf" ] || fail "no cluster was started in $folder; give the folder that start was given"
  export SLURM_CONF="$conf"
  if is_running slurmctld; then
    scancel --user="$(id -un)" || true
    await 30 no_jobs || echo "tools/slurm.sh: jobs do not end; see squeue and $folder/slurmd.log" >&2
  fi
  for daemon in slurmd slurmctld munged; do
    if is_running "$daemon"; then kill "$(cat "$folder/$daemon.pid")"; fi
  done
  for daemon in slurmd slurmctld munged; do
    await 10 is_gone "$daemon" || fail "$daemon does not end; see $folder/$daemon.log"
  done
  rm -rf "$folder"
}

case "$action" in
  start | stop) "$action" ;;
  *) fail "$usage" ;;
esac
