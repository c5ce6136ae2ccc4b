#!/usr/bin/env bash
# Makes the model that ships, hamlearning/, from public weights and corpora, on one CPU thread in about three hours:
#
#   MNER=target/release/mner ENCODER=... DATA=... WEIGHTS=... RUNS=runs www/models/make.sh
#
# ENCODER  Hugging Face folder of all-MiniLM-L6-v2
# DATA     twitter2015/ and twitter2017/ with train.txt and valid.txt, pictures.tsv, photos/{flickr8k,coco,posters}
# WEIGHTS  mobilenet_v2.safetensors, yolox_nano.safetensors and their label files
#
# A killed step is repeated with --resume by running this again.
set -euo pipefail

: "${MNER:?the mner program}" "${ENCODER:?}" "${DATA:?}" "${WEIGHTS:?}" "${RUNS:?a folder for the runs}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# step FOLDER DONE COMMAND...: a run that is not done yet, from its start or from where it stopped.
step() {
    local folder=$1 done=$2
    shift 2
    [ -e "$folder/$done" ] && return
    if [ -e "$folder/config.json" ]; then
        "$@" --out "$folder" --resume
    else
        "$@" --out "$folder"
    fi
}

corpora=(
    --dev "$DATA/twitter2017/valid.txt" --dev "$DATA/twitter2015/valid.txt"
    --pictures "$DATA/pictures.tsv" --cache "$RUNS/features"
)

# The detector: YOLOX-Nano taught to see at 320 pixels what it sees at 416.
photos=(--photos "$DATA/photos/flickr8k" --photos "$DATA/photos/coco" --photos "$DATA/photos/posters@0.1")
step "$RUNS/detector" report.json "$MNER" distill --teacher "$WEIGHTS/yolox_nano.safetensors" "${photos[@]}" \
    --side 320 --epochs 2 --lr 2e-4 --seed 1

# Text encoder, fusion and chain, the vision networks as they are.
step "$RUNS/general" bundle/manifest.json "$MNER" train --system hamlearning --width 192 --iterations 1 \
    --encoder "$ENCODER" --backbone "$WEIGHTS/mobilenet_v2.safetensors" --detector "$RUNS/detector/detector.safetensors" \
    --train "$DATA/twitter2017/train.txt" --train "$DATA/twitter2015/train.txt" "${corpora[@]}" --epochs 4 --seed 1

# All of it and the last three blocks of the image backbone, at low rates, for half an epoch.
step "$RUNS/tuned" bundle/manifest.json "$MNER" train --system hamlearning --start "$RUNS/general/bundle" \
    --tune-blocks 3 --lr-backbone 2e-5 --lr-encoder 2e-5 --lr-fusion 5e-5 --lr-new 2e-4 --lr-crf 2e-3 \
    --train "$DATA/twitter2017/train.txt@0.5" --train "$DATA/twitter2015/train.txt@0.5" "${corpora[@]}" --epochs 1 --seed 1

rm -rf "$here/hamlearning"
"$MNER" quantize --bundle "$RUNS/tuned/bundle" --out "$here/hamlearning" --scheme mixed
