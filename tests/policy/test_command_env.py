from fairlead.model.events import ReadyPort
from fairlead.policy.command_env import command_env


def test_names_the_first_port_all_ports_and_each_port() -> None:
    web, db = ReadyPort("svc/web-1", 40001, 8080), ReadyPort("pod/db", 40002, 5432)

    env = command_env("127.0.0.1", [(web, "http"), (db, "5432")])

    assert env == {
        "FAIRLEAD_ADDRESS": "127.0.0.1",
        "FAIRLEAD_PORT": "40001",
        "FAIRLEAD_PORTS": "40001 40002",
        "FAIRLEAD_PORT_HTTP": "40001",
        "FAIRLEAD_WEB_1_PORT_HTTP": "40001",
        "FAIRLEAD_PORT_5432": "40002",
        "FAIRLEAD_DB_PORT_5432": "40002",
    }


def test_the_first_target_has_the_short_name() -> None:
    one, two = ReadyPort("svc/a", 1, 80), ReadyPort("svc/b", 2, 80)

    env = command_env("::1", [(one, "80"), (two, "80")])

    assert (env["FAIRLEAD_PORT_80"], env["FAIRLEAD_A_PORT_80"], env["FAIRLEAD_B_PORT_80"]) == ("1", "1", "2")


def test_targets_of_one_name_are_told_apart_by_their_types() -> None:
    service, deployment = ReadyPort("svc/web", 1, 80), ReadyPort("deploy/web", 2, 80)

    env = command_env("127.0.0.1", [(service, "80"), (deployment, "80")])

    assert env["FAIRLEAD_WEB_PORT_80"] == "1"
    assert (env["FAIRLEAD_SVC_WEB_PORT_80"], env["FAIRLEAD_DEPLOY_WEB_PORT_80"]) == ("1", "2")
