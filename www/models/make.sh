#!/usr/bin/env bash
# Makes the models that ship from public weights and corpora, one CPU thread:
#
#   MNER=target/release/mner ENCODER=... LARGE=... DATA=... WEIGHTS=... TWEETS=... FONTS=... PYTHON=python3 RUNS=runs [DEVICE=torch] \
#       www/models/make.sh
#
# ENCODER  Hugging Face folder of all-MiniLM-L6-v2
# LARGE    Hugging Face folder of all-mpnet-base-v2, for the teacher
# DATA     twitter2015/ and twitter2017/ with train.txt and valid.txt, ner/{wnut17,btc}.train.conll, pictures.tsv,
#          photos/{flickr8k,coco,posters}, photos/flickr8k_captions.json, mvsa/tweets.jsonl and mvsa/images,
#          seen_in_picture.jsonl, fine_types.jsonl, twitter*/{train,valid}.captions.jsonl
# WEIGHTS  mobilenet_v2.safetensors, yolox_nano.safetensors and their label files
# TWEETS   a text file of tweets, one a line, gzip or plain
# FONTS    a folder of fonts: those of Debian's fonts-* packages comic-neue, bebas-neue, cabin, cantarell, courier-prime,
#          crosextra-caladea, crosextra-carlito, dejavu-core, dosis, ebgaramond, firacode, freefont-ttf, hack, inter, jetbrains-mono,
#          junction, karla, lato, league-spartan, liberation, linuxlibertine, lobster, open-sans, play, quicksand, roboto-unhinted,
#          roboto-slab, oxygen, ubuntu-title, urw-base35, texgyre (Debian 12)
# PYTHON   a Python with gensim and tokenizers
#
# Hours: every step has been run by itself, the whole not yet. A killed step is repeated with --resume by running this
# again.
set -euo pipefail

: "${MNER:?the mner program}" "${ENCODER:?}" "${LARGE:?}" "${DATA:?}" "${WEIGHTS:?}" "${TWEETS:?}" "${FONTS:?}" "${PYTHON:?}" "${RUNS:?a folder for the runs}"
DEVICE=${DEVICE:-cpu}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# step FOLDER DONE COMMAND...: a run that is not done yet, from its start or from where it stopped.
step() {
    local folder=$1 done=$2
    shift 2
    [ -e "$folder/$done" ] && return
    if [ -e "$folder/config.json" ]; then
        "$@" --device "$DEVICE" --out "$folder" --resume
    else
        "$@" --device "$DEVICE" --out "$folder"
    fi
}

dev=(--dev "$DATA/twitter2017/valid.txt" --dev "$DATA/twitter2015/valid.txt")
benchmarks=(--train "$DATA/twitter2017/train.txt" --train "$DATA/twitter2015/train.txt" "${dev[@]}")
# Names of other kinds of tweets. BTC has no MISC, so what it leaves O may be one.
wnut() {
    printf '{"path": "%s", "weight": %s, "labels": {"person": "PER", "location": "LOC", "corporation": "ORG", "group": "ORG",
        "product": "MISC", "creative-work": "MISC"}}' "$DATA/ner/wnut17.train.conll" "$1"
}
btc() {
    printf '{"path": "%s", "weight": %s, "prefixes": "split", "unlabelled": ["MISC"]}' "$DATA/ner/btc.train.conll" "$1"
}
others_licence=(--licence "tweets: WNUT-17 and Broad Twitter Corpus, CC BY 4.0")
others=(--train "$(wnut 1)" --train "$(btc 0.5)" "${others_licence[@]}")
images=(--image-table "$DATA/pictures.tsv" --cache "$RUNS/features")
text=(
    --sigils apart
    --licence "text encoder: all-MiniLM-L6-v2, Apache-2.0"
    --licence "tweets: Twitter-2015 and Twitter-2017, research use"
)
seen=(
    --licence "image backbone: MobileNetV2 (torchvision), BSD-3-Clause"
    --licence "detector: YOLOX-Nano (Megvii), Apache-2.0"
    --licence "photographs for the detector: Flickr8k, non-commercial research; COCO, Flickr's Creative Commons licences"
)

# The detector: YOLOX-Nano taught to find at 320 pixels what it finds at 416.
photos=(--photos "$DATA/photos/flickr8k" --photos "$DATA/photos/coco" --photos "$DATA/photos/posters@0.1")
step "$RUNS/detector" report.json "$MNER" distill --teacher "$WEIGHTS/yolox_nano.safetensors" "${photos[@]}" \
    --side 320 --epochs 2 --lr 2e-4 --seed 1

# train NAME ARGUMENT...: a system from MiniLM, on both benchmarks and what else it is given.
train() {
    local name=$1
    shift
    step "$RUNS/$name" bundle/manifest.json "$MNER" train --encoder "$ENCODER" "${benchmarks[@]}" --epochs 4 --seed 1 \
        "${text[@]}" "$@"
}

# small NAME RUN SCHEME ARGUMENT...: the run's bundle, quantised.
small() {
    rm -rf "${here:?}/$1"
    "$MNER" quantize --bundle "$RUNS/$2/bundle" --out "$here/$1" --scheme "$3" "${@:4}"
}
# calibrated NAME WEIGHT ARGUMENT...: its confidences mean what they say, Twitter-2015 counting WEIGHT beside 1 for Twitter-2017.
calibrated() {
    local other
    other=$(printf '{"path": "%s", "weight": %s}' "$DATA/twitter2015/valid.txt" "$2")
    "$MNER" calibrate --bundle "$here/$1" --data "$DATA/twitter2017/valid.txt" --data "$other" "${@:3}"
}
# ship NAME RUN SCHEME WEIGHT ARGUMENT...: both.
ship() {
    small "$1" "$2" "$3"
    calibrated "$1" "${@:4}"
}
# mean NAME RUN...: the mean of the runs' weights; a run given twice counts twice.
mean() {
    local name=$1 run bundles=()
    shift
    [ -e "$RUNS/$name/bundle/manifest.json" ] && return
    for run in "$@"; do bundles+=(--bundle "$RUNS/$run/bundle"); done
    # What an interrupted run has left.
    rm -rf "${RUNS:?}/$name/bundle"
    "$MNER" average "${bundles[@]}" --out "$RUNS/$name/bundle"
}

# The image backbone: a wider HamLearning, then half an epoch of it at low rates in which the backbone's last three blocks
# learn too.
train first --system hamlearning --width 192 --iterations 1 --backbone "$WEIGHTS/mobilenet_v2.safetensors" \
    --detector "$RUNS/detector/detector.safetensors" "${images[@]}" "${seen[@]}"
step "$RUNS/tuned" bundle/manifest.json "$MNER" train --system hamlearning --start "$RUNS/first/bundle" \
    --tune-blocks 3 --lr-backbone 2e-5 --lr-encoder 2e-5 --lr-fusion 5e-5 --lr-new 2e-4 --lr-crf 2e-3 \
    --train "$DATA/twitter2017/train.txt@0.5" --train "$DATA/twitter2015/train.txt@0.5" "${dev[@]}" "${images[@]}" \
    --epochs 1 --seed 1

# The systems, with this vision encoder.
vision=(--vision "$RUNS/tuned/bundle" "${images[@]}" "${seen[@]}")
train hamlearning --system hamlearning --width 96 --iterations 1 "${vision[@]}" "${others[@]}"

# HamLearning, and MGCMT below, go on with tweets in which the image decides what a name is, and with the own images of tweets that nobody
# labelled, from which HamLearning learns relevance. None of what is scored (tests/contrast) is among them.
contrast=$here/../../tests/contrast
[ -e "$RUNS/decides.jsonl" ] || "$MNER" compose --photographs "$contrast/photographs.tsv" --names "$contrast/names.json" \
    --contexts "$contrast/contexts.json" --part train --count 2136 --as corpus --sigils apart --seed 1 \
    --out "$RUNS/decides.jsonl"
grep -v '"id": "[0-9]*7"' "$DATA/mvsa/tweets.jsonl" | sed 's|"image": "|"image": "mvsa/|' |
    grep -vFf <(awk -F'\t' '$3 == "eval" { print "\"" $1 "\"" }' "$contrast/photographs.tsv") >"$RUNS/own.jsonl"
# decides WEIGHT [FILE [VIEWS]]
decides() { printf '{"path": "%s", "weight": %s, "image_decides": true, "image_views": %s}' "${2:-$RUNS/decides.jsonl}" "$1" "${3:-0}"; }
# unlabelled FILE WEIGHT
unlabelled() {
    printf '{"path": "%s", "weight": %s, "prefixes": "split", "unlabelled": ["PER", "LOC", "ORG", "MISC"]}' "$1" "$2"
}
goes_on=(
    --train "$DATA/twitter2017/train.txt" --train "$DATA/twitter2015/train.txt" "${dev[@]}"
    --train "$(wnut 0.5)" --train "$(btc 0.25)" --train "$(decides 0.75)"
    "${images[@]}" --image-dropout 0.15 --seed 1 --lr-encoder 5e-5 --lr-fusion 3e-4 --lr-new 5e-4 --lr-crf 2e-3
    --licence "tweets with images: MVSA-Single, research use; photographs: Flickr8k, COCO"
)
step "$RUNS/decides" bundle/manifest.json "$MNER" train --system hamlearning --start "$RUNS/hamlearning/bundle" "${goes_on[@]}" \
    --train "$(unlabelled "$RUNS/own.jsonl" 0.5)" --image-swap 0.25 --lr-relevance 5e-4 --epochs 2
train text --system text "${others[@]}"

# Where the words settle what a name is, no image may unsettle it: two models that read the words alone say what they believe of tweets
# beside their own images and beside images that are not theirs, and what they say is learnt beside whatever is shown.
[ -e "$RUNS/strangers.jsonl" ] ||
    "$PYTHON" "$here/strangers.py" "$TWEETS" "$DATA/pictures.tsv" "$RUNS/own.jsonl" 5000 "$RUNS/strangers.jsonl"
untold=(--data "$(unlabelled "$RUNS/own.jsonl" 1)" --data "$(unlabelled "$RUNS/strangers.jsonl" 1)")
# Tweets that are in the file already are not asked about again.
"$MNER" posteriors --teacher "$RUNS/text/bundle" --teacher "$RUNS/hamlearning/bundle" "${untold[@]}" --device "$DEVICE" \
    --out "$RUNS/words.posteriors"

# A teacher twice as deep and twice as wide says what it believes of the same tweets; text and HamLearning learn from it, and what names
# are more finely.
# teacher NAME SEED
teacher() {
    step "$RUNS/$1" bundle/manifest.json "$MNER" train --encoder "$LARGE" "${benchmarks[@]}" --train "$(wnut 0.3)" --train "$(btc 0.15)" \
        --sigils apart --epochs 2 --freeze 4 --lr-encoder 5e-5 --seed "$2"
}
teacher teacher 1
"$MNER" posteriors --teacher "$RUNS/teacher/bundle" "${untold[@]}" --device "$DEVICE" --out "$RUNS/teacher.posteriors"
taught=(
    --posteriors "$RUNS/teacher.posteriors" --distill-temperature 1 --distill-weight 1
    --fine-types "$DATA/fine_types.jsonl" --licence "fine types: FMNERG, research use"
    --licence "text encoder of the teacher: all-mpnet-base-v2, Apache-2.0"
    --licence "tweets without labels: MVSA-Single and TweetEval, research use"
)

# The text model knows the subwords that tweets have.
[ -e "$RUNS/encoder/config.json" ] ||
    "$PYTHON" "$here/trim.py" "$ENCODER" 5 "$RUNS/encoder" "$TWEETS" "$DATA/twitter2017/train.txt" "$DATA/twitter2015/train.txt" \
        --keep "$WEIGHTS/imagenet_labels.txt" "$WEIGHTS/coco_labels.txt"
text_taught=(
    --system text "${benchmarks[@]}" "${taught[@]}" --train "$(wnut 0.5)" --train "$(btc 0.25)" --epochs 2
    --train "$(unlabelled "$RUNS/own.jsonl" 0.75)" --train "$(unlabelled "$RUNS/strangers.jsonl" 0.75)"
)
step "$RUNS/text-first" bundle/manifest.json "$MNER" train --encoder "$RUNS/encoder" "${text_taught[@]}" "${text[@]}" "${others_licence[@]}" --seed 1
step "$RUNS/text-taught" bundle/manifest.json "$MNER" train --start "$RUNS/text-first/bundle" "${text_taught[@]}" \
    --lr-encoder 5e-5 --lr-new 5e-4 --lr-crf 2e-3 --seed 2

# settles NAME SYSTEM START BOTH WNUT BTC DECIDES ARGUMENT...: an epoch from the run START, the four being weights of corpora.
settles() {
    local name=$1 system=$2 start=$3 both=$4 wnut=$5 btc=$6 decides=$7
    shift 7
    step "$RUNS/$name" bundle/manifest.json "$MNER" train --system "$system" --start "$RUNS/$start/bundle" --epochs 1 \
        --train "$DATA/twitter2017/train.txt@$both" --train "$DATA/twitter2015/train.txt@$both" "${dev[@]}" \
        --train "$(wnut "$wnut")" --train "$(btc "$btc")" --train "$(decides "$decides")" --train "$(unlabelled "$RUNS/own.jsonl" 1)" \
        --posteriors "$RUNS/words.posteriors" --distill-temperature 1 --distill-weight 1 \
        "${images[@]}" --image-dropout 0.1 --image-swap 0.25 --lr-encoder 3e-5 --lr-fusion 2e-4 --lr-new 3e-4 --lr-crf 1e-3 \
        --licence "tweets without labels: TweetEval, research use" "$@"
}
strangers=(--train "$(unlabelled "$RUNS/strangers.jsonl" 0.6)")
settles settles hamlearning decides 0.5 0.25 0.125 0.5 --lr-relevance 3e-4 --seed 3
settles settled hamlearning settles 0.4 0.2 0.1 0.75 --lr-relevance 3e-4 --seed 4 "${strangers[@]}"

# Which image belongs to which tweet, from tweets with their own images and from captioned photographs; what is held out of both is
# named for measuring alone.
[ -e "$RUNS/own-held.jsonl" ] || grep '"id": "[0-9]*7"' "$DATA/mvsa/tweets.jsonl" | sed 's|"image": "|"image": "mvsa/|' >"$RUNS/own-held.jsonl"
[ -e "$RUNS/texts.txt" ] || "$PYTHON" "$here/pairs.py" "$DATA" "$contrast/photographs.tsv" "$TWEETS" "$RUNS"
# Of a generator that never ends, the same 5,000 each time.
[ -e "$RUNS/texts-5000.txt" ] || shuf -n 5000 --random-source=<(yes) "$RUNS/texts.txt" >"$RUNS/texts-5000.txt"
# match BUNDLE RUN ARGUMENT...: BUNDLE, taught so.
match() {
    local bundle=$1 run=$2
    shift 2
    [ -e "$run/bundle/manifest.json" ] && return
    "$MNER" match --bundle "$bundle" --epochs 8 --dropout 0.4 --sentences "$ENCODER" --images "$DATA" \
    --pairs "$RUNS/own.jsonl" --pairs "$RUNS/captions.jsonl" --pairs "$RUNS/standins.jsonl" --texts "$RUNS/texts-5000.txt" --held-out "$RUNS/own-held.jsonl" --held-out "$RUNS/captions-held.jsonl" \
    --seen "$DATA/seen_in_picture.jsonl" --seen-data "$DATA/twitter2017/train.txt" --seen-data "$DATA/twitter2015/train.txt" \
    --seen-held-out "$DATA/twitter2017/valid.txt" --seen-held-out "$DATA/twitter2015/valid.txt" \
    --captions "$DATA/twitter2017/train.captions.jsonl" --captions "$DATA/twitter2017/valid.captions.jsonl" \
    --captions "$DATA/twitter2015/train.captions.jsonl" --captions "$DATA/twitter2015/valid.captions.jsonl" \
    --licence "what people saw: Twitter10000 v2.0, research use; captions: Flickr8k and PGIM" \
    --cache "$RUNS/features" --device "$DEVICE" --out "$run" "$@"
}
match "$RUNS/settled/bundle" "$RUNS/matched"
# Two epochs beside the teacher.
taught_on=(
    "${benchmarks[@]}" "${taught[@]}" --train "$(wnut 0.5)" --train "$(btc 0.25)"
    --train "$(unlabelled "$RUNS/own.jsonl" 1)" --train "$(unlabelled "$RUNS/strangers.jsonl" 0.6)"
    "${images[@]}" --image-dropout 0.1 --epochs 2
)
step "$RUNS/ham-taught" bundle/manifest.json "$MNER" train --system hamlearning --start "$RUNS/matched/bundle" "${taught_on[@]}" --train "$(decides 0.5)" \
    --image-swap 0.25 --lr-encoder 4e-5 --lr-fusion 2e-4 --lr-new 5e-4 --lr-crf 1e-3 --lr-relevance 3e-4 --seed 5
# What it believes of a tweet has moved, so what belongs together is learnt anew.
match "$RUNS/ham-taught/bundle" "$RUNS/ham-matched"
# The systems that follow take the same vision encoder, so that a visitor fetches one file for all.
vision=(--vision "$RUNS/ham-matched/bundle" "${images[@]}" "${seen[@]}")
train ita --system ita "${vision[@]}" "${others[@]}"
step "$RUNS/ita-taught" bundle/manifest.json "$MNER" train --system ita --start "$RUNS/ita/bundle" "${taught_on[@]}" --train "$(decides 0.75)" \
    --lr-encoder 6e-5 --lr-new 5e-4 --lr-crf 2e-3 --seed 5 --licence "tweets with images: MVSA-Single, research use; photographs: Flickr8k, COCO"

# Three that read the words well, and err differently, say together what they believe of more tweets. Text as it ships learns from them.
[ -e "$RUNS/more.jsonl" ] ||
    "$PYTHON" "$here/strangers.py" "$TWEETS" "$DATA/pictures.tsv" "$RUNS/own.jsonl" 11000 "$RUNS/more.jsonl"
three=(--teacher "$RUNS/ham-matched/bundle" --teacher "$RUNS/ita-taught/bundle" --teacher "$RUNS/text-taught/bundle")
# believed OUT TEACHER...: what teachers believe of those tweets.
believed() {
    "$MNER" posteriors "${@:2}" --device "$DEVICE" --data "$(unlabelled "$RUNS/own.jsonl" 1)" --data "$(unlabelled "$RUNS/more.jsonl" 1)" --out "$1"
}
believed "$RUNS/three.posteriors" "${three[@]}"
text_beside=(
    --system text "${benchmarks[@]}"
    --distill-temperature 1 --distill-weight 1 --fine-types "$DATA/fine_types.jsonl"
    --train "$(wnut 0.5)" --train "$(btc 0.25)" --train "$(unlabelled "$RUNS/own.jsonl" 0.75)" --train "$(unlabelled "$RUNS/more.jsonl" 0.75)"
    --lr-new 5e-4 --lr-crf 2e-3
)
step "$RUNS/text-three" bundle/manifest.json "$MNER" train --start "$RUNS/text-taught/bundle" "${text_beside[@]}" --epochs 2 --lr-encoder 6e-5 --seed 3 \
    --posteriors "$RUNS/three.posteriors"
# Once more, with every weight rounded to 4 bits in every step: beside the three, and twice beside these and another teacher of base size, who
# counts as two of them. What ships is the mean of their weights.
teacher teacher-2 2
believed "$RUNS/five.posteriors" "${three[@]}" --teacher "$RUNS/teacher-2/bundle" --teacher "$RUNS/teacher-2/bundle"
# rounded NAME SEED POSTERIORS
rounded() {
    step "$RUNS/$1" bundle/manifest.json "$MNER" train --start "$RUNS/text-three/bundle" "${text_beside[@]}" --epochs 1 --lr-encoder 5e-5 --seed "$2" \
        --posteriors "$RUNS/$3" --quantization-aware q4
}
rounded text-rounded 5 three.posteriors
rounded text-rounded-7 7 five.posteriors
rounded text-rounded-8 8 five.posteriors
mean text-mean text-rounded text-rounded text-rounded-7 text-rounded-8
ship text text-mean q4 1.35 --fine-types "$DATA/fine_types.jsonl"

# HamLearning as it ships: two runs beside the three, and beside more tweets in which the image decides. Their mean is matched anew: its states also learn
# which captions tell of their image, and the relevance is fitted by tweets that nothing was learnt from. To this relevance, which stays,
# the fusion gets used in half an epoch; what ships is the mean of before and after.
[ -e "$RUNS/decides-more.jsonl" ] || "$MNER" compose --photographs "$contrast/photographs.tsv" --names "$contrast/names.json" \
    --contexts "$contrast/contexts.json" --part train --count 6000 --as corpus --sigils apart --seed 2 --out "$RUNS/decides-more.jsonl"
[ -e "$RUNS/own-apart.jsonl" ] || grep -v '"id": "[0-9]*7"' "$DATA/mvsa/tweets.jsonl" | sed 's|"image": "|"image": "mvsa/|' |
    grep -Ff <(awk -F'\t' '$3 == "eval" { print "\"" $1 "\"" }' "$contrast/photographs.tsv") >"$RUNS/own-apart.jsonl"
# beside BELIEVED NAME START SHARE MORE DECIDES ARGUMENT...: an epoch of HamLearning, or of $system, from the run START, beside what the posteriors BELIEVED say,
# with SHARE of all but the tweets in which the image decides, of which it takes DECIDES, of each photograph as many views as $views says; of the tweets without labels it takes MORE of that,
# and $own of those with their own images, if it is set.
beside() {
    local believed=$1 name=$2 start=$3 share=$4 more=$5 decides=$6
    shift 6
    of() { awk "BEGIN { print $share * $1 }"; }
    step "$RUNS/$name" bundle/manifest.json "$MNER" train --system "${system:-hamlearning}" --start "$RUNS/$start/bundle" --epochs 1 \
        --train "$DATA/twitter2017/train.txt@$share" --train "$DATA/twitter2015/train.txt@$share" "${dev[@]}" \
        --train "$(wnut "$(of 0.5)")" --train "$(btc "$(of 0.25)")" --train "$(unlabelled "$RUNS/own.jsonl" "${own:-$share}")" \
        --train "$(unlabelled "$RUNS/more.jsonl" "$(of "$more")")" \
        --train "$(decides "$decides" "$RUNS/decides-more.jsonl" "${views:-0}")" \
        --posteriors "$RUNS/$believed.posteriors" --distill-temperature 1 --distill-weight 1 --fine-types "$DATA/fine_types.jsonl" \
        "${images[@]}" --image-dropout 0.1 --image-swap 0.25 "$@"
}
further=(--lr-fusion 2e-4 --lr-encoder 4e-5 --lr-new 5e-4 --lr-crf 1e-3 --lr-relevance 4e-4)
beside three ham-three-1 ham-matched 1 0.35 0.3 "${further[@]}" --seed 11
beside three ham-three-2 ham-matched 1 0.35 0.4 "${further[@]}" --seed 12
mean ham-three ham-three-1 ham-three-2
anew=(--told "$RUNS/told.jsonl" --apart "$RUNS/own-apart.jsonl")
match "$RUNS/ham-three/bundle" "$RUNS/ham-three-matched" "${anew[@]}"
beside three ham-used ham-three-matched 0.5 0.35 0.25 --lr-fusion 2e-4 --lr-encoder 2e-5 --lr-new 3e-4 --lr-crf 5e-4 --lr-relevance 0 --seed 31
mean ham-mean ham-used ham-three-matched
# Two runs more beside the five, with every weight rounded to 4 bits in every step. The mean of these and, counted twice, of what they went on from is
# rounded to 4 bits for tweets.
few=(--lr-fusion 2e-4 --lr-encoder 3e-5 --lr-new 2e-4 --lr-crf 2e-4 --lr-relevance 0 --quantization-aware q4)
beside five ham-rounded-1 ham-mean 0.7 0.7 0.5 "${few[@]}" --seed 131
beside five ham-rounded-2 ham-mean 0.7 0.7 0.5 "${few[@]}" --seed 132
mean ham-all ham-mean ham-mean ham-rounded-1 ham-rounded-2
for_tweets=(
    --tweets "$DATA/twitter2017/train.txt" --tweets "$DATA/twitter2015/train.txt" --tweets "$(unlabelled "$RUNS/own.jsonl" 1)"
    --tweets "$RUNS/decides-more.jsonl" --tweets "$(unlabelled "$RUNS/more.jsonl" 1)" "${images[@]}" --device "$DEVICE"
)
[ -e "$RUNS/ham-rounded/bundle/manifest.json" ] || {
    rm -rf "${RUNS:?}/ham-rounded/bundle"
    "$MNER" quantize --bundle "$RUNS/ham-all/bundle" --out "$RUNS/ham-rounded/bundle" --scheme q4 "${for_tweets[@]}" --sample 4000
}
# How an image is read is learnt once more beside the rounded words, which stay as they are, each photograph in three views; the mean of
# three such runs and of what they went on from is matched anew. What ships is the mean of before and after.
# viewed NAME SEED
viewed() {
    views=2 beside three "$1" ham-rounded 0.35 0.35 0.6 --freeze 6 --lr-fusion 4e-4 --lr-new 0 --lr-crf 0 --lr-relevance 0 --seed "$2"
}
viewed ham-viewed-1 221
viewed ham-viewed-2 222
viewed ham-viewed-3 223
# In f32, as the others are.
mean ham-words ham-rounded ham-rounded
mean ham-viewed ham-words ham-viewed-1 ham-viewed-2 ham-viewed-3
match "$RUNS/ham-viewed/bundle" "$RUNS/ham-viewed-matched" --keep-projector "${anew[@]}"
mean ham-seen ham-viewed ham-viewed-matched
# with_words_of_text NAME RUN: the run's bundle, which reads the words as text does, as that ships.
with_words_of_text() {
    local folder=$RUNS/$1
    [ -e "$folder/bundle/manifest.json" ] && return
    rm -rf "${folder:?}"
    "$MNER" trim --bundle "$RUNS/$2/bundle" --tokenizer "$here/text/tokenizer.json" --out "$folder/trimmed"
    # In f32.
    "$MNER" average --bundle "$here/text" --bundle "$here/text" --out "$folder/text"
    "$MNER" graft --bundle "$folder/trimmed" --reader "$folder/text" --out "$folder/bundle"
}
# It then reads the words as text does, which stay as they are, and learns in two runs what images say beside them. The mean of these and of what they
# went on from is matched anew, and gets used to that relevance in two runs more; what ships is their mean with, counted twice, what these went on from.
with_words_of_text ham-text ham-seen
beside_text=(--freeze 6 --lr-fusion 6e-4 --lr-crf 0)
views=2 beside three ham-text-1 ham-text 1 0.35 0.6 "${beside_text[@]}" --lr-new 2e-4 --lr-relevance 4e-4 --seed 612
views=2 own=2 beside three ham-text-2 ham-text 1 0.35 0.5 "${beside_text[@]}" --lr-new 5e-5 --lr-relevance 0 --seed 613
mean ham-text-mean ham-text ham-text-1 ham-text-2
match "$RUNS/ham-text-mean/bundle" "$RUNS/ham-text-matched" --keep-projector "${anew[@]}"
gets_used=(--freeze 6 --lr-fusion 4e-4 --lr-crf 0 --lr-relevance 0)
views=2 own=0.7 beside three ham-text-used-1 ham-text-matched 0.4 0.35 0.5 "${gets_used[@]}" --lr-new 2e-5 --seed 621
views=2 own=1 beside three ham-text-used-2 ham-text-matched 0.6 0.35 0.3 "${gets_used[@]}" --lr-new 0 --seed 622
mean ham-text-all ham-text-matched ham-text-matched ham-text-used-1 ham-text-used-2
small hamlearning ham-text-all q4 "${for_tweets[@]}" --sample 2000
calibrated hamlearning 1.2 --fine-types "$DATA/fine_types.jsonl"
# ship_with_eyes NAME RUN SCHEME WEIGHT ARGUMENT...: as ship, with HamLearning's file of the vision encoder, which differs in its projector alone.
ship_with_eyes() {
    small "$1" "$2" "$3"
    "$MNER" graft --bundle "$here/$1" --vision "$here/hamlearning" --out "$here/$1"
    calibrated "$1" "${@:4}"
}
ship_with_eyes ita ita-taught mixed 1 --fine-types "$DATA/fine_types.jsonl"

[ -e "$RUNS/tweets.bin" ] || PYTHONHASHSEED=0 "$PYTHON" "$here/word2vec.py" "$TWEETS" "$RUNS/tweets.bin"
train mgcmt --system mgcmt --width 96 --word2vec "$RUNS/tweets.bin" "${vision[@]}" "${others[@]}" \
    --licence "tweets for the word vectors: TweetEval, research use"
step "$RUNS/mgcmt-decides" bundle/manifest.json "$MNER" train --system mgcmt --start "$RUNS/mgcmt/bundle" "${goes_on[@]}" --epochs 1
settles mgcmt-settles mgcmt mgcmt-decides 0.4 0.2 0.1 0.75 --seed 3 "${strangers[@]}"
# It then reads the words as text does, too, and learns anew what images say, each photograph in three views; what ships is the mean of two such runs.
with_words_of_text mgcmt-words mgcmt-settles
# mgcmt_viewed NAME SEED
mgcmt_viewed() {
    system=mgcmt views=2 beside three "$1" mgcmt-words 1 0.35 0.6 --freeze 6 --lr-fusion 6e-4 --lr-new 1e-3 --lr-crf 2e-3 --seed "$2"
}
mgcmt_viewed mgcmt-viewed-1 411
mgcmt_viewed mgcmt-viewed-2 421
mean mgcmt-viewed mgcmt-viewed-1 mgcmt-viewed-1 mgcmt-viewed-2
ship_with_eyes mgcmt mgcmt-viewed q4 1 --fine-types "$DATA/fine_types.jsonl"

# The reader of the text in images, in three runs: the second goes on with longer lines, the third from the reader that this made, with
# longer ones still.
[ -e "$RUNS/words.txt" ] || gzip -cdf "$TWEETS" | awk 'NR <= 60000' >"$RUNS/words.txt"
letters=(
    --fonts "$FONTS" --texts "$RUNS/words.txt" --photos "$DATA/photos/flickr8k" --photos "$DATA/photos/coco" --lines 20000
    --licence "fonts: Debian's packages, OFL, Apache-2.0 and their like; words: TweetEval, research use; photographs: Flickr8k, non-commercial research, and COCO, Flickr's Creative Commons licences"
)
# read_text RUN ARGUMENT...: both networks, each from its start or from where it stopped.
read_text() {
    local run=$1 part
    shift
    for part in detector recognizer; do
        local resume=()
        [ ! -e "$run/$part/config.json" ] || resume=(--resume)
        "$MNER" train-ocr "${letters[@]}" "$@" --part "$part" --device "$DEVICE" --out "$run" "${resume[@]}"
    done
}
if [ ! -e "$RUNS/ocr/ocr/manifest.json" ]; then
    read_text "$RUNS/ocr-first" --line-epochs 7 --scene-epochs 8 --seed 1
    read_text "$RUNS/ocr-second" --start "$RUNS/ocr-first" --line-epochs 4 --line-length 24 --lr 1.2e-3 --scene-epochs 3 --seed 2
    read_text "$RUNS/ocr" --start "$RUNS/ocr-second/ocr" --line-epochs 8 --line-length 32 --lr 8e-4 --scene-epochs 0 --seed 3
fi

# The captioner: captions of photographs and of the benchmarks' images; of the former, the images say where images lie beside captions.
step "$RUNS/caption" caption/manifest.json "$MNER" train-captions --sentences "$ENCODER" --pairs "$RUNS/captions.jsonl" \
    --captions "$DATA/twitter2017/train.captions.jsonl" --captions "$DATA/twitter2015/train.captions.jsonl" \
    --noise 0.09 --epochs 14 --lr 1.5e-3 \
    --bundle "$RUNS/ham-mean/bundle" --images "$DATA" --cache "$RUNS/features" --held-out "$RUNS/captions-held.jsonl" \
    --licence "captions: Flickr8k and PGIM, research use" --licence "sentence encoder: all-MiniLM-L6-v2, Apache-2.0"
mkdir -p "$here/caption" "$here/ocr"
cp "$RUNS/caption/caption/"* "$here/caption/"
cp "$RUNS/ocr/ocr/manifest.json" "$RUNS/ocr/ocr/ocr.bpk" "$here/ocr/"
