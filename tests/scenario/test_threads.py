"""Several threads answer: what one of them was told to write, all of them read at once."""
import concurrent.futures
import subprocess

import ostler
import pytest

THREADS = 4


def test_a_write_is_read_on_every_connection_at_once(new_server):
    """Connections go round over the threads; each reading follows the answer to the write, so none may miss it."""
    s = new_server(sim=ostler.HELD | {"create": "0s"}, args=["--threads", str(THREADS)])
    made = s.cli("create", "--count", "40").stdout.split()
    for iid in made:
        s.wait_state(iid, "Stopped")
    connections = [s.connect() for _ in range(2 * THREADS)]
    for i, iid in enumerate(made):
        status, _, _ = s.ecs("StartInstance", InstanceId=iid, _connection=connections[i % len(connections)])
        assert status == 200
        for c in connections:
            _, obj, _ = s.ecs("DescribeInstanceStatus", {"InstanceId": [iid]}, _connection=c)
            assert obj["InstanceStatuses"]["InstanceStatus"] == [{"InstanceId": iid, "Status": "Starting"}]
    for c in connections:
        c.close()


def test_threads_write_at_the_same_time(new_server):
    """Each instance is started on one connection and refused on the others: exactly once, whoever comes first."""
    s = new_server(sim=ostler.HELD | {"create": "0s"}, args=["--threads", str(THREADS)])
    made = s.cli("create", "--count", "30").stdout.split()
    for iid in made:
        s.wait_state(iid, "Stopped")

    def start_all(_):
        c = s.connect()
        got = [s.ecs("StartInstance", InstanceId=iid, _connection=c)[0] for iid in made]
        c.close()
        return got

    with concurrent.futures.ThreadPoolExecutor(2 * THREADS) as pool:
        answers = list(pool.map(start_all, range(2 * THREADS)))
    for one in zip(*answers):
        assert sorted(one) == [200] + [403] * (2 * THREADS - 1)
    assert s.ecs.state(made[0]) == "Starting"


def test_it_ends_well_with_connections_on_every_thread(new_server):
    s = new_server(args=["--threads", str(THREADS)])
    connections = [s.connect() for _ in range(2 * THREADS)]
    for c in connections:
        assert s.ecs("DescribeRegions", _connection=c)[0] == 200
    s.stop()  # fails unless it exits with 0 in time
    for c in connections:
        c.close()


@pytest.mark.parametrize("n", ("0", "65", "two"))
def test_a_number_of_threads_that_makes_no_sense(program, n):
    r = subprocess.run([program, "serve", "--threads", n], capture_output=True, text=True, timeout=20,
                       stdin=subprocess.DEVNULL)
    assert r.returncode == 2
    assert "--threads" in r.stderr
