"""Container images made on the spot: an OCI layout in a tar, a dozen lines of JSON around one layer.

They are named as if pulled; pods set ``imagePullPolicy: Never``.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from testbed import build, machine, paths, versions
from testbed.build import Say
from testbed.errors import TestbedError

TEST = "docker.io/library/fairlead-test:1"
PAUSE = "docker.io/library/fairlead-pause:1"
COREDNS = "docker.io/library/fairlead-coredns:1"

# What is in the image for test pods beside the base system.
_INSIDE = ("iproute2", "nginx-light", "python3")

# Half of a fresh Debian is reading matter and what apt needs for its next run.
_LEFT_OUT = (
    "./dev/*",
    "./proc/*",
    "./sys/*",
    "./run/*",
    "./tmp/*",
    "./usr/share/doc/*",
    "./usr/share/man/*",
    "./usr/share/info/*",
    "./usr/share/locale/*",
    "./usr/share/lintian/*",
    "./usr/lib/python3*/ensurepip",
    "./usr/lib/*/perl*",
    "./usr/share/perl*",
    "./var/cache/*",
    "./var/lib/apt/lists/*",
    "./var/log/*.log",
    "./var/log/apt/*",
    "./debootstrap",
)

_ENVIRONMENT = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")


@dataclass(frozen=True, slots=True)
class Image:
    """One image and how its layer is made."""

    name: str
    folder: str
    version: str
    entrypoint: tuple[str, ...]
    layer: Callable[[Path, Say], None]

    @property
    def tar(self) -> Path:
        """The file to import."""
        return paths.tool(self.folder, self.version) / "image.tar"


def make(say: Say) -> list[Path]:
    """Make the images that are not in the cache yet; return the tars to import, small ones first."""
    for image in IMAGES:
        if image.tar.exists():
            continue
        image.tar.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(image.tar.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if not image.tar.exists():
                _make_one(image, say)
        finally:
            os.close(handle)
    return [image.tar for image in IMAGES]


def missing() -> list[Image]:
    """The images that the cache does not have."""
    return [image for image in IMAGES if not image.tar.exists()]


def _make_one(image: Image, say: Say) -> None:
    say(f"image {image.name}: making")
    started = time.monotonic()
    for leftover in image.tar.parent.glob(".unfinished-*"):
        shutil.rmtree(leftover)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=image.tar.parent) as folder:
        layer = Path(folder) / "layer.tar"
        image.layer(layer, say)
        unfinished = Path(folder) / "image.tar"
        _write_layout(unfinished, image, layer)
        os.replace(unfinished, image.tar)
    say(f"image {image.name}: made in {time.monotonic() - started:.0f} s, {image.tar.stat().st_size >> 20} MiB")


def _write_layout(target: Path, image: Image, layer: Path) -> None:
    with layer.open("rb") as file:
        digest = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    config = _blob(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Entrypoint": list(image.entrypoint), "Env": list(_ENVIRONMENT), "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": [digest]},
        }
    )
    oci = "application/vnd.oci.image"
    manifest = _blob(
        {
            "schemaVersion": 2,
            "mediaType": f"{oci}.manifest.v1+json",
            "config": _descriptor(f"{oci}.config.v1+json", config),
            "layers": [{"mediaType": f"{oci}.layer.v1.tar", "digest": digest, "size": layer.stat().st_size}],
        }
    )
    entry = _descriptor(f"{oci}.manifest.v1+json", manifest)
    entry["annotations"] = {"io.containerd.image.name": image.name, "org.opencontainers.image.ref.name": "1"}
    index = _blob({"schemaVersion": 2, "mediaType": f"{oci}.index.v1+json", "manifests": [entry]})
    with tarfile.open(target, "w") as tar:
        for name, content in (("oci-layout", _blob({"imageLayoutVersion": "1.0.0"})), ("index.json", index)):
            _add(tar, name, content)
        for blob in (config, manifest):
            _add(tar, f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}", blob)
        tar.add(layer, f"blobs/sha256/{digest.removeprefix('sha256:')}")


def _blob(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _descriptor(kind: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": kind, "digest": f"sha256:{hashlib.sha256(blob).hexdigest()}", "size": len(blob)}


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _one_program(name: str) -> Callable[[Path, Say], None]:
    def layer(target: Path, say: Say) -> None:
        build.build([build.named(name)], say)
        with tarfile.open(target, "w") as tar:
            tar.add(build.binary(name), name, filter=_of_root)

    return layer


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o755
    return entry


def _debian(target: Path, say: Say) -> None:
    machine.check()
    suite, components, archive = _archive()
    root = target.with_name("root")
    command = ["debootstrap", "--variant=minbase", f"--components={components}", f"--include={','.join(_INSIDE)}"]
    log = target.with_name("debootstrap.log")
    environment = {**os.environ, **_apt_proxy(), "PATH": machine.path()}
    # In namespaces of its own: whatever debootstrap mounts and starts goes with it, however it ends.
    apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with log.open("wb") as file:
        done = subprocess.run(
            [*apart, *command, suite, str(root), archive], env=environment, stdout=file, stderr=file, check=False
        )
    if done.returncode:
        for line in log.read_text(errors="replace").splitlines()[-15:]:
            say(line)
        raise TestbedError("debootstrap failed (its last words are above)")
    left_out = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
    how = ["--create", "--numeric-owner", "--sort=name", "--one-file-system", "--wildcards", *left_out]
    subprocess.run(["tar", *how, f"--file={target}", f"--directory={root}", "."], check=True)
    shutil.rmtree(root)


def _archive() -> tuple[str, str, str]:
    """Suite, components and address of the archive that this machine itself installs from."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    suite = release.get("VERSION_CODENAME", "").strip('"')
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    for line in told.splitlines():
        codename, component, address = line.split(maxsplit=2)
        if (codename, component) == (suite, "main"):
            return suite, "main,universe" if release.get("ID") == "ubuntu" else "main", address
    raise TestbedError(f"apt knows no archive of {suite or 'this system'}: run apt-get update (on Debian or Ubuntu)")


def _apt_proxy() -> dict[str, str]:
    """The proxy that apt is told of, for debootstrap, which asks only the environment."""
    words = {"http_proxy": "Acquire::http::Proxy", "https_proxy": "Acquire::https::Proxy"}
    found = {}
    for variable, option in words.items():
        command = ["apt-config", "dump", "--format=%v", option]
        value = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        if value not in ("", "DIRECT"):
            found[variable] = value
    return found


IMAGES = (
    Image(PAUSE, "image-pause", versions.PAUSE, ("/pause",), _one_program("pause")),
    Image(COREDNS, "image-coredns", versions.COREDNS, ("/coredns",), _one_program("coredns")),
    Image(TEST, "image-test", versions.IMAGE, (), _debian),
)
