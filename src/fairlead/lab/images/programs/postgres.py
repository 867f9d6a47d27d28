"""Makes a database of the machine's PostgreSQL where there is none yet, and lets the server take our place.

As the well-known image does it: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, PGDATA, POSTGRES_HOST_AUTH_METHOD. The
server refuses to be root, so it is another user, where need be one of a user namespace of its own (user_namespaces(7)).
"""

from __future__ import annotations

import ctypes
import os
import pwd
import subprocess
import sys
import tempfile

USERS = ("postgres", "nobody")
"""Whom the server may be: the first of them that the machine has, for it looks itself up."""
DATA = "/var/lib/postgresql/data"
_NEWUSER = 0x1000_0000


def main() -> int:
    """With the server's own options."""
    env = os.environ
    data = env.setdefault("PGDATA", DATA)
    if not env.get("POSTGRES_PASSWORD") and env.get("POSTGRES_HOST_AUTH_METHOD") != "trust":
        print("Error: Database is uninitialized and superuser password is not specified.", file=sys.stderr)
        print("       Set POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD=trust.", file=sys.stderr)
        return 1
    os.makedirs(data, exist_ok=True)
    os.makedirs("/run/postgresql", exist_ok=True)
    become((data, "/run/postgresql"))
    binaries = os.path.dirname(os.path.realpath(env["FAIRLEAD_POSTGRES"]))
    if not os.path.exists(os.path.join(data, "PG_VERSION")):
        initialize(binaries, data)
    server = os.path.join(binaries, "postgres")
    options = sys.argv[2:] if sys.argv[1:2] == ["postgres"] else sys.argv[1:]
    return os.execv(server, ["postgres", "-D", data, "-c", "listen_addresses=*", *options])  # noqa: S606


def become(folders: tuple[str, ...]) -> None:
    """Be no root any more, and own these."""
    if os.getuid():
        return
    user, group = _ids()
    try:
        for folder in folders:
            os.chown(folder, user, group)
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    except OSError:
        if ctypes.CDLL(None, use_errno=True).unshare(_NEWUSER) < 0:
            raise OSError(ctypes.get_errno(), "cannot become another user than root") from None
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} 0 1"), ("gid_map", f"{group} 0 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)


def _ids() -> tuple[int, int]:
    for name in USERS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    raise LookupError(f"this machine has neither of the users {' and '.join(USERS)}")


def initialize(binaries: str, data: str) -> None:
    """Make the database as the variables say. Raises CalledProcessError."""
    env = os.environ
    user, method = env.get("POSTGRES_USER") or "postgres", env.get("POSTGRES_HOST_AUTH_METHOD") or "scram-sha-256"
    words = ["-D", data, "-U", user, "--auth-local=trust", f"--auth-host={method}", "-N", "-E", "UTF8", "--locale=C"]
    with tempfile.NamedTemporaryFile("w") as file:
        if password := env.get("POSTGRES_PASSWORD"):
            file.write(password + "\n")
            file.flush()
            words += ["--pwfile", file.name]
        subprocess.run([os.path.join(binaries, "initdb"), *words], check=True)
    with open(os.path.join(data, "pg_hba.conf"), "a") as rules:
        rules.write(f"\nhost all all all {method}\n")
    name = env.get("POSTGRES_DB") or user
    if name != "postgres":
        single = [os.path.join(binaries, "postgres"), "--single", "-D", data, "postgres"]
        quoted = name.replace('"', '""')
        subprocess.run(single, input=f'CREATE DATABASE "{quoted}";\n', text=True, check=True, stdout=sys.stderr)
