"""What only the Docker backend does: its image, its containers and what becomes of them. The rest is in conformance."""

import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from selfgym.envs.sandbox import image
from selfgym.envs.sandbox.container import connect
from selfgym.envs.sandbox.limits import Limits, SandboxError, SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox, probe

OWNER = "selfgym.owner"


@pytest.fixture(scope="module")
def client():
    try:
        client = connect()
    except SandboxUnavailable as reason:
        pytest.skip(str(reason))
    yield client
    client.close()


@pytest.fixture
def box(client):
    with open_sandbox("docker") as box:
        yield box


def containers_of(client, pid):
    """Every container, running or not, that a process has made."""
    everything = client.api.containers(all=True, filters={"label": OWNER})
    return [one["Id"] for one in everything if one["Labels"][OWNER].split("/")[2] == str(pid)]


def until(condition, seconds=15):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def test_probe_says_what_stands_between(client):
    guarantees = probe("docker")
    assert guarantees.backend == "docker"
    assert {"mount", "pid", "net", "ipc"} <= set(guarantees.namespaces)
    assert guarantees.seccomp


def test_container_has_nothing_it_does_not_need(client, box):
    (container,) = containers_of(client, os.getpid())
    told = client.api.inspect_container(container)
    host = told["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] in (None, [])
    assert host["ReadonlyRootfs"]
    assert host["NetworkMode"] == "none"
    assert host["LogConfig"]["Type"] == "none"
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert not host["Privileged"]
    assert told["Config"]["User"].partition(":")[0] not in ("", "0", "1000")
    assert told["Mounts"] == []


def test_names_are_its_own(box):
    program = "import socket; print(socket.gethostbyname(socket.gethostname()), socket.gethostbyname('localhost'))"
    assert box.exec(program).stdout == b"127.0.0.1 127.0.0.1\n"
    assert box.get("/etc/resolv.conf").split()[:2] == [b"nameserver", b"127.0.0.1"], "the host's name server is inside"


def test_nothing_of_the_conversation_is_kept_by_the_engine(client, box):
    box.exec("print('said in confidence')")
    (container,) = containers_of(client, os.getpid())
    assert not client.api.inspect_container(container).get("LogPath")


def test_closing_removes_the_container(client):
    box = open_sandbox("docker")
    assert len(containers_of(client, os.getpid())) == 1
    box.close()
    box.close()
    assert containers_of(client, os.getpid()) == []


def test_sessions_leave_no_descriptors(client):
    open_sandbox("docker").close()
    gc.collect()
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with open_sandbox("docker") as box:
            box.exec("print(1)")
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= len(before)


VICTIM = """
import sys
from selfgym.envs.sandbox.opening import open_sandbox
boxes = [open_sandbox("docker") for _ in range(2)]
print("ready", flush=True)
boxes[0].exec("import time; time.sleep(60)") if sys.argv[1] == "busy" else sys.stdin.read()
"""


@pytest.mark.parametrize("state", ["busy", "idle"])
def test_killed_process_leaves_no_container(client, state):
    arguments = [sys.executable, "-c", VICTIM, state]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"ready\n"
            assert len(containers_of(client, process.pid)) == 2
        finally:
            process.kill()
    assert until(lambda: not containers_of(client, process.pid))


def test_container_that_was_never_started_is_swept_once_its_process_is_gone(client, box):
    """A process killed between creating and starting: nobody holds that container's input."""
    (ours,) = containers_of(client, os.getpid())
    told = client.api.inspect_container(ours)["Config"]
    opening = "from selfgym.envs.sandbox.opening import open_sandbox; open_sandbox('docker').close()"
    with subprocess.Popen(["sleep", "60"]) as process:
        ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
        place = told["Labels"][OWNER].split("/")[:2]
        owner = "/".join([*place, str(process.pid), ticks])
        created = client.api.create_container_from_config({"Image": told["Image"], "Labels": {OWNER: owner}})["Id"]
        subprocess.run([sys.executable, "-c", opening], check=True)
        assert containers_of(client, process.pid) == [created], "it was swept although its process lives"
        process.kill()
    subprocess.run([sys.executable, "-c", opening], check=True)
    assert containers_of(client, process.pid) == []
    assert containers_of(client, os.getpid()) == [ours]


def test_image_is_built_once(client):
    tag = image.build_image(client)
    first = client.images.get(tag)
    assert image.build_image(client) == tag
    assert client.images.get(tag).id == first.id


def test_building_goes_on_after_a_builder_was_killed(client):
    packages = ["iniconfig"]  # an image that no other test uses
    tag = image.build_image(client, packages)
    name = f"{tag.replace(':', '-')}-being-built"
    client.api.create_container_from_config({"Image": tag, "Cmd": ["true"]}, name)
    client.api.remove_image(tag, force=True)
    assert image.build_image(client, packages) == tag
    assert not [one for one in client.api.containers(all=True) if f"/{name}" in one["Names"]]


def test_preimported_packages_come_with_what_they_require(client):
    with open_sandbox("docker", preimport=["pytest"]) as box:
        assert box.exec("import sys; print('pytest' in sys.modules)").stdout == b"True\n"
        box.put("test_it.py", "def test_it(tmp_path):\n    assert tmp_path.is_dir()\n")
        result = box.exec(["python", "-m", "pytest", "-q", "test_it.py", "-p", "no:cacheprovider"])
    assert b"1 passed" in result.stdout, result.text


def test_packages_of_the_host_are_not_inside_unasked(box):
    assert box.exec("import docker").exit_code == 1


def test_module_that_is_nowhere(client):
    with pytest.raises(SandboxUnavailable, match="no_such_module"):
        open_sandbox("docker", preimport=["no_such_module"])
    assert containers_of(client, os.getpid()) == []


def test_image_of_ones_own(client, monkeypatch):
    image.build_image(client)
    base = next(tag for one in client.images.list(image.REPOSITORY) for tag in one.tags if ":base-" in tag)
    client.api.tag(base, "selfgym-test-own", "latest")
    try:
        monkeypatch.setenv(image.OWN_IMAGE, "selfgym-test-own:latest")
        with open_sandbox("docker") as box:
            assert box.exec("print(6 * 7)").stdout == b"42\n"
            (container,) = containers_of(client, os.getpid())
            used = client.api.inspect_container(container)["Config"]["Image"]
        client.api.remove_image(used)
    finally:
        client.api.remove_image("selfgym-test-own:latest")


def test_image_of_ones_own_that_is_not_there(client, monkeypatch):
    monkeypatch.setenv(image.OWN_IMAGE, "selfgym-test-absent:latest")
    with pytest.raises(SandboxUnavailable, match="docker pull selfgym-test-absent:latest"):
        open_sandbox("docker")


def test_folders_of_the_host_can_be_read_and_not_written(client, tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "note").write_text("from outside")
    with open_sandbox("docker", readonly={str(tmp_path): "/data"}) as box:
        assert box.exec("print(open('/data/note').read())").stdout == b"from outside\n"
        assert not box.exec("open('/data/note', 'a')").ok
        assert not box.exec("open('/data/other', 'w')").ok
    assert [path.name for path in tmp_path.iterdir()] == ["note"]


def test_folder_of_the_host_that_is_not_there(client):
    with pytest.raises(SandboxUnavailable, match="does not exist"):
        open_sandbox("docker", readonly=["/no/such/folder"])
    assert containers_of(client, os.getpid()) == []


def test_limits_are_named(client):
    with open_sandbox("docker", limits=Limits(memory=64 * 2**20, disk=4 * 2**20, processes=5)) as box:
        assert box.exec("x = bytearray(2**30)").limit == "memory"
        assert box.exec("open('x', 'wb').write(bytes(8 * 2**20))").limit == "disk"
        forks = "import os, time\nfor _ in range(50):\n    if os.fork() == 0:\n        time.sleep(9)"
        assert box.exec(forks).limit == "processes"
        assert box.exec("print(1)").ok


def test_container_that_is_killed_is_the_end_of_the_session_and_not_a_result(client, box):
    (container,) = containers_of(client, os.getpid())
    killer = threading.Timer(0.5, lambda: client.api.kill(container, signal.SIGKILL))
    killer.start()
    with pytest.raises(SandboxError, match="has ended"):
        box.exec("import time; time.sleep(30)")
    killer.join()
    with pytest.raises(SandboxError, match="gone"):
        box.exec("print(1)")
    assert until(lambda: not containers_of(client, os.getpid()))


def test_output_of_many_pieces_arrives_whole(client):
    size = 3_000_000
    with open_sandbox("docker", limits=Limits(output=2**22)) as box:
        result = box.exec(f"import sys; sys.stdout.write('x' * {size}); sys.stderr.write('y' * {size})")
        assert (result.stdout, result.stderr) == (b"x" * size, b"y" * size)
        data = bytes(range(256)) * 40_000
        box.put("big", data)
        assert box.get("big") == data


@contextlib.contextmanager
def over_tcp(path):
    """The engine's socket at a TCP address, as an engine on another machine would be."""
    listener = socket.create_server(("127.0.0.1", 0))
    ends, threads = [listener], []

    def pump(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(2**16):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(path)
                ends.extend((near, far))
                for pair in ((near, far), (far, near)):
                    threads.append(threading.Thread(target=pump, args=pair))
                    threads[-1].start()

    server = threading.Thread(target=serve)
    server.start()
    try:
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        server.join()
        for thread in threads:
            thread.join()
        for end in ends:
            end.close()


def test_engine_behind_tcp(client, monkeypatch):
    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not address.startswith("unix://"):
        pytest.skip(f"the engine is at {address} already")
    with over_tcp(address.removeprefix("unix://")) as far:
        monkeypatch.setenv("DOCKER_HOST", far)
        with open_sandbox("docker") as box:
            assert box.exec("print(6 * 7)").stdout == b"42\n"
        with pytest.raises(SandboxUnavailable, match="may be on another machine"):
            open_sandbox("docker", readonly=["/usr"])
    assert until(lambda: not containers_of(client, os.getpid()))


def test_no_engine(monkeypatch):
    pytest.importorskip("docker")
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    with pytest.raises(SandboxUnavailable, match="no Docker engine answers at unix:///no/such/socket; start one"):
        open_sandbox("docker")


def test_no_docker_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(SandboxUnavailable, match=r"pip install 'selfgym\[code\]'"):
        open_sandbox("docker")
