"""The script that joins a node's NVMe disks, run by a real shell over a made-up /sys; what it calls is recorded."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from components.node_scratch import script_text

LOCAL = "Microsoft NVMe Direct Disk"

_MDADM = """
case $1 in
--assemble) [ -e "$STATE/array" ] ;;
--create) touch "$STATE/array"; echo : >"$STATE/content/gpufleet-scratch" ;;
esac
"""
_COMMANDS = {
    "mdadm": _MDADM,
    "mountpoint": '[ -e "$STATE/mounted" ]',
    # Type or label of a device, as the test wrote them down: `type:label`.
    "blkid": """
line=$(cat "$STATE/content/${!###*/}" 2>/dev/null || echo :)
case $3 in TYPE) echo "${line%%:*}" ;; LABEL) echo "${line#*:}" ;; esac
""",
    "mkfs.ext4": 'echo ext4:gpufleet-scratch >"$STATE/content/${!###*/}"',
    "mount": 'touch "$STATE/mounted"',
    "flock": "",
}
_QUIET = {"blkid", "mountpoint", "flock"}


@dataclass
class Node:
    """A node: its disks, what is on them, and what was done to it."""

    root: Path
    calls: list[str] = field(default_factory=list)

    def disk(
        self, name: str, model: str = LOCAL, *, partition: bool = False, holder: str = "", content: str = ""
    ) -> None:
        block = self.root / "sys/block" / name
        (block / "device").mkdir(parents=True)
        (block / "device/model").write_text(f"{model}            \n", encoding="utf-8")
        (block / "holders").mkdir()
        if partition:
            (block / f"{name}p1").mkdir()
            (block / f"{name}p1/partition").write_text("1\n", encoding="utf-8")
        if holder:
            (block / "holders" / holder).touch()
        if content:
            self.content(name, content)

    def content(self, device: str, content: str) -> None:
        (self.root / "state/content" / device).write_text(f"{content}\n", encoding="utf-8")

    def mounted(self, *lines: str) -> None:
        (self.root / "proc/mounts").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def run(self, *directories: str) -> subprocess.CompletedProcess[str]:
        """Run the script as the pod does, from stdin; `calls` are what it called this time, without paths."""
        log = self.root / "log"
        log.write_text("", encoding="utf-8")
        done = subprocess.run(
            ["/bin/bash", "-s", "--", str(self.root / "mnt/nvme"), *directories],
            input=script_text(),
            env={
                "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
                "STATE": str(self.root / "state"),
                "SCRATCH_SYS": str(self.root / "sys"),
                "SCRATCH_PROC": str(self.root / "proc"),
                "SCRATCH_DEV": "/dev",
                "SCRATCH_LOCK": str(self.root / "lock"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        self.calls = log.read_text(encoding="utf-8").replace(f"{self.root}/", "").splitlines()
        return done


@pytest.fixture
def node(tmp_path: Path) -> Node:
    for folder in ("bin", "sys/block", "proc", "state/content", "mnt"):
        (tmp_path / folder).mkdir(parents=True)
    for name, body in _COMMANDS.items():
        record = "" if name in _QUIET else f'echo "{name} $*" >>"{tmp_path}/log"\n'
        command = tmp_path / "bin" / name
        command.write_text(f"#!/bin/bash\n{record}{body}\n", encoding="utf-8")
        command.chmod(0o755)
    made = Node(tmp_path)
    made.mounted("/dev/sda1 / ext4 rw 0 0")
    return made


def _made_anew(disks: list[str]) -> list[str]:
    paths = " ".join(f"/dev/{disk}" for disk in disks)
    return [
        f"mdadm --assemble /dev/md/gpufleet-scratch --name=gpufleet-scratch {paths}",
        (
            "mdadm --create /dev/md/gpufleet-scratch --run --homehost=any --name=gpufleet-scratch --level=0 "
            f"--chunk=512 --raid-devices={len(disks)} {paths}"
        ),
        "mkfs.ext4 -q -F -L gpufleet-scratch -m 0 -E lazy_itable_init=1,lazy_journal_init=1 /dev/md/gpufleet-scratch",
        "mount -t ext4 -o noatime,nodev,nosuid /dev/md/gpufleet-scratch mnt/nvme",
    ]


def test_new_disks_become_one_array_in_their_order(node: Node) -> None:
    for number in (10, 2, 0):
        node.disk(f"nvme{number}n1")

    done = node.run("teams/a", "teams/b")

    assert done.returncode == 0, done.stderr
    assert node.calls == _made_anew(["nvme0n1", "nvme2n1", "nvme10n1"])
    for team in ("a", "b"):
        assert (node.root / "mnt/nvme/teams" / team).stat().st_mode & 0o7777 == 0o1777


def test_a_second_run_does_nothing_but_make_new_directories(node: Node) -> None:
    node.disk("nvme0n1")
    node.disk("nvme1n1")
    node.run()

    done = node.run("teams/new")

    assert (done.returncode, node.calls) == (0, [])
    assert (node.root / "mnt/nvme/teams/new").is_dir()


@pytest.mark.parametrize(
    "change",
    [
        {"model": "MSFT NVMe Accelerator v1.0"},
        {"model": "Virtual Disk"},
        {"partition": True},
    ],
    ids=["remote", "virtual", "partitioned"],
)
def test_disks_that_are_not_free_local_ones_are_left_alone(node: Node, change: dict[str, object]) -> None:
    node.disk("nvme0n1", **change)  # type: ignore[arg-type]
    node.disk("nvme1n1")
    node.disk("nvme2n1")

    assert node.run().returncode == 0
    assert node.calls == _made_anew(["nvme1n1", "nvme2n1"])


@pytest.mark.parametrize("line", ["/dev/nvme0n1 /mnt ext4 rw 0 0", "/dev/nvme0n1p2 / ext4 rw 0 0"])
def test_a_mounted_disk_is_left_alone(node: Node, line: str) -> None:
    node.disk("nvme0n1")
    node.disk("nvme1n1")
    node.disk("nvme10n1")
    node.mounted(line)

    assert node.run().returncode == 0
    assert node.calls == _made_anew(["nvme1n1", "nvme10n1"])


def test_other_ways_to_a_disk_are_no_disks(node: Node) -> None:
    node.disk("nvme0c0n1")
    node.disk("nvme0n1")
    node.disk("nvme1n1")

    node.run()

    assert node.calls == _made_anew(["nvme0n1", "nvme1n1"])


def test_after_a_reboot_the_array_is_mounted_with_its_files(node: Node) -> None:
    for name in ("nvme0n1", "nvme1n1"):
        node.disk(name, holder="md127", content="linux_raid_member:any:gpufleet-scratch")
    node.content("md127", "ext4:gpufleet-scratch")

    assert node.run().returncode == 0
    assert node.calls == ["mount -t ext4 -o noatime,nodev,nosuid /dev/md127 mnt/nvme"]


def test_an_array_that_nobody_assembled_is_assembled(node: Node) -> None:
    for name in ("nvme0n1", "nvme1n1"):
        node.disk(name, content="linux_raid_member:any:gpufleet-scratch")
    node.content("gpufleet-scratch", "ext4:gpufleet-scratch")
    (node.root / "state/array").touch()

    assert node.run().returncode == 0
    assert [call.split()[0] for call in node.calls] == ["mdadm", "mount"]


def test_one_disk_needs_no_array(node: Node) -> None:
    node.disk("nvme0n1")

    assert node.run().returncode == 0
    assert [call.split()[0] for call in node.calls] == ["mkfs.ext4", "mount"]
    assert node.calls[-1] == "mount -t ext4 -o noatime,nodev,nosuid /dev/nvme0n1 mnt/nvme"


@pytest.mark.parametrize(
    ("disks", "message"),
    [
        ([], f"no free local NVMe disk (model '{LOCAL}') on this node"),
        ([{"content": "xfs:data"}], "/dev/nvme0n1 has something on it that is not ours: xfs:data"),
        ([{"content": "LVM2_member:"}, {}], "/dev/nvme0n1 has something on it that is not ours: LVM2_member:"),
        (
            [{"content": "linux_raid_member:host:other"}, {}],
            "/dev/nvme0n1 has something on it that is not ours: linux_raid_member:host:other",
        ),
        ([{"holder": "md0"}, {"holder": "md1"}], "disks are in several arrays: md0 md1"),
        ([{"holder": "md0"}, {}], "1 of 2 disks are in md0, the others in none"),
        ([{"holder": "dm-0"}], "disks are held by dm-0, which is no RAID array"),
    ],
)
def test_what_is_not_ours_is_never_formatted(node: Node, disks: list[dict[str, str]], message: str) -> None:
    for number, settings in enumerate(disks):
        node.disk(f"nvme{number}n1", **settings)  # type: ignore[arg-type]

    done = node.run("teams/a")

    assert done.returncode == 1
    assert done.stderr == f"node-scratch: error: {message}\n"
    assert node.calls == []
    assert not (node.root / "mnt/nvme").exists()
