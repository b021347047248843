#!/usr/bin/env bash
# Training on one GPU in ten minutes: a markdown table with the card's name, for docs/log/.
#
#   benchmarks/gpu.sh --pack DATA FOLDER [3.12]   with BUSI (DATA) and a package index: FOLDER holds what has to be carried,
#                                                 for that version of Python (this one's where it is left out)
#   benchmarks/gpu.sh FOLDER                      on the GPU machine, without network
#   benchmarks/gpu.sh --dry-run                   on any CPU, tiny sizes and simulated images: shows that every step runs
#
# FOLDER (at most 64 MiB, 36 as packed in November 2026): BUSI at 224 pixels, and wheels of what a GPU image is not expected to
# have. It is expected to have PyTorch, torchvision, timm, Lightning, scikit-learn, scikit-image, OpenCV (61 MiB alone), onnx,
# ONNX Runtime, safetensors, tensorboard and typer. Networks start at random: ImageNet weights do not change the speed, but the
# accuracies of these runs mean nothing.
set -euo pipefail
here="$(cd "$(dirname "$0")/.." && pwd)"
python="${PYTHON:-python3}"
export PYTHONPATH="$here/src${PYTHONPATH:+:$PYTHONPATH}" BUSIGHT_CACHE="${BUSIGHT_CACHE:-off}"

if [[ "${1:-}" == --pack ]]; then
  data="$2" folder="$3" version="${4:-$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')}"
  "$python" -m busight data resize "busi:$data" --out "$folder/busi224" --size 224
  "$python" -m pip download --quiet --no-deps --only-binary=:all: --python-version "$version" --platform manylinux2014_x86_64 \
    --platform manylinux_2_17_x86_64 --platform manylinux_2_28_x86_64 --dest "$folder/wheels" kornia kornia_rs \
    segmentation-models-pytorch pydantic pydantic_core annotated-types typing-inspection pooch pydicom tomli-w lazy-loader
  du -sm "$folder"
  test "$(du -sm "$folder" | cut -f1)" -le 64 || { echo "$folder: more than 64 MiB; leave out wheels that the machine has" >&2; exit 1; }
  exit
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
if [[ "${1:-}" == --dry-run ]]; then
  data="phantom:60,size=96" images=16 rounds=1 folds=2
  tiny=(--set classify.size=64 --set train.epochs=1 --set segment.epochs=1 --set segment.size=64 --set assess.resamples=100)
  big=(--set classify.size=64 --set train.batch=4) compile=false accelerator=cpu precision=32-true
else
  folder="${1:?name the packed folder, or --dry-run}"
  "$python" -m venv --system-site-packages "$work/venv"
  python="$work/venv/bin/python"
  "$python" -m pip install --quiet --no-index --no-deps "$folder"/wheels/*.whl
  "$python" -c 'import cv2, kornia, lightning, onnx, onnxruntime, safetensors, segmentation_models_pytorch, sklearn, tensorboard, typer'
  data="folder:$folder/busi224" images=5120 rounds=3 folds=5 tiny=()
  big=(--set classify.size=224 --set train.batch=256) compile=true accelerator=gpu precision=bf16-mixed
fi
common=(--set classify.weights=none --set segment.weights=none --set "train.accelerator=$accelerator")

card="$("$python" -c 'import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU")')"
echo "$(date -I), $card, $("$python" -c 'import torch; print("PyTorch", torch.__version__)')"
echo
echo "| loop against bare forward and backward | images/s | bare | ratio |"
echo "|---|---|---|---|"
"$python" "$here/benchmarks/training_loop.py" paper --images "$images" --rounds "$rounds" --set classify.strategy=whole \
  --set "train.accelerator=$accelerator" --set "train.precision=$precision" --set "train.compile=$compile" "${big[@]}"
"$python" "$here/benchmarks/training_loop.py" default --images "$images" --rounds "$rounds" \
  --set "train.accelerator=$accelerator" "${big[@]}"
echo
echo "| run | seconds |"
echo "|---|---|"
started=$(date +%s)
"$python" -m busight run paper --data "$data" --out "$work/paper" --no-report "${common[@]}" "${tiny[@]}" > "$work/paper.log" 2>&1 \
  || { tail -3 "$work/paper.log" >&2; exit 1; }
"$python" - "$work/paper/training/classifier/history.csv" <<'PY'
import csv, sys
with open(sys.argv[1]) as stream:
    rows = list(csv.DictReader(stream))
print(f"| paper: {len(rows)} epochs of the classifier | {sum(float(row['seconds']) for row in rows):.1f} |")
PY
echo "| paper: the whole run | $(($(date +%s) - started)) |"
started=$(date +%s)
"$python" -m busight crossval default --data "$data" --folds "$folds" --out "$work/folds" "${common[@]}" "${tiny[@]}" \
  > "$work/folds.log" 2>&1 || { tail -3 "$work/folds.log" >&2; exit 1; }
echo "| default: $folds grouped folds | $(($(date +%s) - started)) |"
