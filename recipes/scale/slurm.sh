#!/usr/bin/env bash
# One shard a task: sbatch --array=1-64 slurm.sh traces.jsonl labelled
# then: prmdata merge labelled/part-*.jsonl -o labelled.jsonl
#SBATCH --job-name=prmdata
#SBATCH --cpus-per-task=2
#SBATCH --mem=8G
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@60
set -euo pipefail

traces=$1
folder=$2
mkdir -p "$folder"

# PRMDATA_SAMPLER names the servers, PRMDATA_STORE a folder that all nodes share. exec: the signal
# before the time limit reaches prmdata, which then has a minute to finish what is in flight.
exec prmdata label "$traces" \
    --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
    --give-up 2h \
    -o "$folder/part-$(printf %05d "$SLURM_ARRAY_TASK_ID").jsonl"
