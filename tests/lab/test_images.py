"""Names of images, and what the catalogue has for them."""

from __future__ import annotations

import pytest

from fairlead.lab.images.catalogue import GOST, Catalogue, ImageError, Machine
from fairlead.lab.images.reference import parse

DIGEST = "sha256:" + "0123456789abcdef" * 4
PROGRAMS = {"postgres": "/usr/lib/postgresql/15/bin/postgres"}


def catalogue(programs: dict[str, str] = PROGRAMS, env: dict[str, str] | None = None) -> Catalogue:
    return Catalogue(Machine("/usr/bin/python3", "/usr", "/opt/fairlead/src", programs.get, env or {}))


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.25-alpine", "docker.io/library/nginx:1.25-alpine"),
        ("gogost/gost", "docker.io/gogost/gost:latest"),
        ("localhost/web", "localhost/web:latest"),
        ("localhost:5000/team/web:v1", "localhost:5000/team/web:v1"),
        ("registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.9"),
        ("[::1]:5000/web", "[::1]:5000/web:latest"),
        (f"nginx@{DIGEST}", f"docker.io/library/nginx@{DIGEST}"),
        (f"quay.io/a/b:1@{DIGEST}", f"quay.io/a/b:1@{DIGEST}"),
    ],
)
def test_references(text: str, full: str) -> None:
    reference = parse(text)
    assert reference is not None
    assert reference.full == full


@pytest.mark.parametrize(
    "text", ["", " nginx", "Nginx", "nginx:", "nginx:a b", "a//b", "nginx@sha256:12", "/nginx", "a/-b", "x/Y"]
)
def test_what_is_no_reference(text: str) -> None:
    assert parse(text) is None
    with pytest.raises(ImageError) as caught:
        catalogue().find(text)
    assert caught.value.reason == "InvalidImageName"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("nginx", "nginx"),
        ("nginx:1.7.9", "nginx"),
        ("docker.io/library/nginx:alpine", "nginx"),
        ("mirror.example.com:5000/team/nginx", "nginx"),
        (f"nginx@{DIGEST}", "nginx"),
        ("gcr.io/kuar-demo/kuard-amd64:1", "kuard"),
        ("registry.k8s.io/echoserver:1.10", "echo"),
        ("hashicorp/http-echo", "echo"),
        ("python:3.12-slim", "python"),
        ("busybox:1.36", "busybox"),
        ("postgres:16", "postgres"),
        ("registry.k8s.io/pause:3.9", "pause"),
    ],
)
def test_any_registry_and_tag_will_do(text: str, name: str) -> None:
    assert catalogue().find(text).name == name


@pytest.mark.parametrize("text", ["mysql", "my-nginx", "nginx/other", "registry.example.com/app:v1"])
def test_what_is_not_there_is_told_with_what_is(text: str) -> None:
    with pytest.raises(ImageError, match=r"catalogue: nginx, .*kuard.*python.*busybox.*postgres") as caught:
        catalogue().find(text)
    assert caught.value.reason == "ErrImagePull"
    assert f'failed to pull image "{text}"' in caught.value.message
    assert "redis" not in caught.value.message


def test_what_the_machine_has_not_is_told_with_how_to_get_it() -> None:
    with pytest.raises(ImageError, match="redis is not installed"):
        catalogue().find("redis:7")
    with pytest.raises(ImageError, match=f"no gost binary .* name it in {GOST}") as caught:
        catalogue().find("gogost/gost")
    assert caught.value.reason == "ErrImagePull"


def test_gost_is_found_in_the_path_or_by_a_variable() -> None:
    image = catalogue({"gost": "/usr/bin/gost"}).find("gogost/gost:3")
    assert image.entrypoint == ("gost",)
    assert b"exec /usr/bin/gost" in image.programs["/usr/local/bin/gost"]
    named = catalogue({}, {GOST: "/home/ann/my gost"}).find("gost")
    assert b"exec '/home/ann/my gost'" in named.programs["/usr/local/bin/gost"]
    assert named.kept == ("/home/ann",)


def test_a_stand_in_is_started_without_a_site() -> None:
    image = catalogue().find("nginx")
    assert (image.entrypoint, image.args, image.stop_signal) == (("nginx",), ("-g", "daemon off;"), "SIGQUIT")
    text = image.programs["/usr/local/bin/nginx"].decode()
    assert text.startswith("#!/usr/bin/python3 -IS\n")
    assert "from fairlead.lab.images.programs.nginx import main" in text
