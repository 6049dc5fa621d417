#!/usr/bin/env bash
# Puts ONNX Runtime into .onnxruntime/ and prints the path of its shared library.
# Does not install it for the system, and does not build it: the CPU wheel of PyPI carries the library.
#
#   deploy/onnxruntime.sh [FOLDER]      FOLDER is .onnxruntime in the repository where none is given
#
# ORT_DYLIB_PATH names a library of your own (CUDA, a system package): nothing is fetched then.
# Needs bash and, for the first fetch, Python 3 with pip or venv and a network.
set -euo pipefail

version=1.32.0
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${1:-$root/.onnxruntime}

main() {
    if [ -n "${ORT_DYLIB_PATH:-}" ]; then
        [ -f "$ORT_DYLIB_PATH" ] || fail "reading ORT_DYLIB_PATH: $ORT_DYLIB_PATH is not a file." \
            "Correct the path, or unset ORT_DYLIB_PATH to have ONNX Runtime fetched."
        echo "$ORT_DYLIB_PATH"
        return
    fi
    choose_platform
    if ! is_pinned "$folder/$library" "$library_sha256"; then
        fetch
    fi
    echo "$folder/$library"
}

# Any CPython's wheel will do, since only the shared library in it is used: it is always the one for 3.11.
choose_platform() {
    case "$(uname -s) $(uname -m)" in
    "Linux x86_64")
        platform=manylinux_2_28_x86_64
        wheel_sha256=5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d
        library=libonnxruntime.so member=libonnxruntime.so.$version
        library_sha256=6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f
        ;;
    "Linux aarch64" | "Linux arm64")
        platform=manylinux_2_28_aarch64
        wheel_sha256=2303372a85299b6757b0e11e1cbf13e410ddf7e10c37f4b37e99d1c90e7daf7c
        library=libonnxruntime.so member=libonnxruntime.so.$version
        library_sha256=49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a
        ;;
    "Darwin arm64")
        platform=macosx_14_0_arm64
        wheel_sha256=366b9e53d07812cc5c92822cecf7563b76a8a0f32ba3bb8dd232a206ac3bcb6c
        library=libonnxruntime.dylib member=libonnxruntime.$version.dylib
        library_sha256=fa585fabbea65b823b9a8f7e27d46aee3989d1be7e36b528203d3a1fd613aae7
        ;;
    *)
        fail "choosing a wheel: none of ONNX Runtime $version is known for $(uname -s) $(uname -m)." \
            "Build the library and name it in ORT_DYLIB_PATH."
        ;;
    esac
}

fetch() {
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    choose_python
    download
    unpack
    is_pinned "$scratch/$library" "$library_sha256" ||
        fail "checking $library: its SHA-256 is not the pinned one. Do not use it; report the version."
    mkdir -p "$folder"
    cp "$scratch"/LICENSE "$scratch"/ThirdPartyNotices.txt "$folder"
    # Moved within one folder, so that whoever looks meanwhile sees all of it or nothing.
    cp "$scratch/$library" "$folder/.$library.$$"
    mv "$folder/.$library.$$" "$folder/$library"
    say "ONNX Runtime $version is in $folder"
}

# Debian's python3 comes without pip; its python3-venv brings one.
choose_python() {
    python=$(command -v python3) || fail "looking for Python 3: there is none." \
        "Install it (Debian: apt-get install python3-pip), or name a library in ORT_DYLIB_PATH."
    "$python" -m pip --version >/dev/null 2>&1 && return
    "$python" -m venv "$scratch/venv" >/dev/null 2>&1 || fail "looking for pip: $python has neither pip nor venv." \
        "Install one (Debian: apt-get install python3-pip), or name a library in ORT_DYLIB_PATH."
    python=$scratch/venv/bin/python
}

download() {
    say "fetching ONNX Runtime $version for $platform (about 30 MB)"
    echo "onnxruntime==$version --hash=sha256:$wheel_sha256" >"$scratch/requirements.txt"
    "$python" -m pip --quiet --disable-pip-version-check download --no-deps --only-binary :all: \
        --python-version 3.11 --implementation cp --abi cp311 --platform "$platform" \
        --require-hashes --requirement "$scratch/requirements.txt" --dest "$scratch" >&2 ||
        fail "fetching onnxruntime $version with pip: it failed as said above. Without a network, fetch the wheel" \
            "elsewhere and name its folder in PIP_FIND_LINKS, or name a library in ORT_DYLIB_PATH."
}

unpack() {
    "$python" - "$scratch" "$member" "$library" <<'PYTHON'
import pathlib, sys, zipfile

scratch, member, library = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
(wheel,) = scratch.glob("*.whl")
wanted = {
    f"onnxruntime/capi/{member}": library,
    "onnxruntime/LICENSE": "LICENSE",
    "onnxruntime/ThirdPartyNotices.txt": "ThirdPartyNotices.txt",
}
with zipfile.ZipFile(wheel) as archive:
    for inside, name in wanted.items():
        (scratch / name).write_bytes(archive.read(inside))
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

# The path alone goes to standard output: callers take it from there.
say() { echo "$*" >&2; }

fail() {
    say "onnxruntime.sh: while $*"
    exit 1
}

main
