"""A file is written as a whole or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

import pytest

from live_dashboards.errors import OutputError
from live_dashboards.outputs.files import text_bytes, write_file

NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"] if os.geteuid() else ["unshare", "--mount"]
CAN_MOUNT = shutil.which("unshare") is not None and subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def write_text(path: Path, text: str) -> None:
    write_file(path, lambda stream: stream.write(text_bytes(text)))


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def refusal(path: Path, text: str = "new") -> str:
    with pytest.raises(OutputError) as caught:
        write_text(path, text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_missing_folders_are_created(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "report.json", "{}")
    assert (tmp_path / "a" / "b" / "report.json").read_text(encoding="utf-8") == "{}"


def test_only_the_file_itself_is_left_in_the_folder(tmp_path: Path) -> None:
    write_text(tmp_path / "report.json", "{}")
    assert names(tmp_path) == ["report.json"]


def test_a_new_file_has_the_rights_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    write_text(tmp_path / "report.json", "{}")
    os.umask(before)
    assert (tmp_path / "report.json").stat().st_mode & 0o777 == 0o640


def test_a_replaced_file_hands_on_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.touch(mode=0o600)
    write_text(path, "new")
    assert (path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777) == ("new", 0o600)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "latest.json").symlink_to("report.json")
    write_text(tmp_path / "latest.json", "new")
    assert (tmp_path / "latest.json").is_symlink()
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == "new"


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    def fail(stream: BinaryIO) -> None:
        stream.write(b"half")
        raise KeyboardInterrupt

    write_text(tmp_path / "report.json", "old")
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "report.json", fail)
    assert names(tmp_path) == ["report.json"]
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == "old"


def test_an_error_of_the_drawing_is_not_called_one_of_the_disk(tmp_path: Path) -> None:
    def fail(_stream: BinaryIO) -> None:
        raise ValueError("no such colour")

    with pytest.raises(ValueError, match="no such colour"):
        write_file(tmp_path / "picture.png", fail)
    assert names(tmp_path) == []


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "it is a folder; add a file name" in refusal(tmp_path)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "old")
    assert "a part of its path is a file" in refusal(tmp_path / "file" / "report.json")
    assert "a part of its path is a file" in refusal(tmp_path / "file" / "deeper" / "report.json")


def test_a_folder_that_takes_no_files_is_named() -> None:
    assert "its folder takes no files" in refusal(Path("/proc/self/report.json"))


def test_a_name_may_be_too_long(tmp_path: Path) -> None:
    assert "its name is too long; choose a shorter one" in refusal(tmp_path / ("x" * 300 + ".json"))
    assert names(tmp_path) == []


def test_the_longest_allowed_name_is_written(tmp_path: Path) -> None:
    write_text(tmp_path / ("x" * 250 + ".json"), "{}")
    assert len(names(tmp_path)) == 1


def test_a_name_holds_no_nul(tmp_path: Path) -> None:
    assert "NUL" in refusal(tmp_path / "re\0port.json")


def test_a_write_protected_file_stays(tmp_path: Path) -> None:
    write_text(tmp_path / "report.json", "old")
    (tmp_path / "report.json").chmod(0o444)
    assert "write-protected; remove it" in refusal(tmp_path / "report.json")
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == "old"


def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "it is a device or a pipe" in refusal(tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    assert "circle" in refusal(tmp_path / "one")


def said_as_a_plain_user(code: str, folder: str) -> str:
    """What the code says on stderr, with the folder as `folder`, run as nobody where we are root, who may write everywhere."""
    head = "import os, sys; from pathlib import Path; from live_dashboards.outputs.files import NewFile, write_file, write_files\n"
    user = "os.geteuid() or os.setuid(65534); folder = Path(sys.argv[1])\n"
    return subprocess.run([sys.executable, "-c", head + user + code, folder], capture_output=True, text=True, check=False).stderr


def test_a_folder_that_this_user_may_not_write_is_named() -> None:
    with tempfile.TemporaryDirectory() as closed:
        Path(closed).chmod(0o555)
        said = said_as_a_plain_user("write_file(folder / 'new' / 'report.json', lambda stream: stream.write(b''))", closed)
    assert "this user may not write in its folder; give it the right to" in said


if os.geteuid() == 0:

    def test_another_users_file_in_a_sticky_folder_is_refused_before_it_is_tried() -> None:
        """Its folder takes new files, and it may be written, but not replaced."""
        with tempfile.TemporaryDirectory() as shared:
            Path(shared).chmod(0o1777)
            Path(shared, "theirs").write_text("old")
            Path(shared, "theirs").chmod(0o666)
            said = said_as_a_plain_user("write_files([NewFile(folder / name, b'new') for name in ('mine', 'theirs')])", shared)
            assert names(Path(shared)) == ["theirs"]
        assert "another user's, in a sticky folder" in said


WITH_A_SIZE_LIMIT = """
import resource, sys
from pathlib import Path
from live_dashboards.errors import OutputError
from live_dashboards.outputs.files import write_file
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_file(Path(sys.argv[1]), lambda stream: stream.write(b"x" * 10_000))
except OutputError as error:
    print(error)
"""


def test_the_file_size_limit_leaves_nothing_behind(tmp_path: Path) -> None:
    """In a process of its own: the limit would hold for the log that pytest writes as well."""
    ended = subprocess.run([sys.executable, "-c", WITH_A_SIZE_LIMIT, str(tmp_path / "report.json")], capture_output=True, text=True, check=True)
    assert "file size limit; raise the limit" in ended.stdout
    assert names(tmp_path) == []


def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path: Path) -> None:
    write_text(tmp_path / "report.json", "old")
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OutputError, match="the disk is full; free some space"):
        write_file(tmp_path / "report.json", lambda _stream: full.write(b"new"))
    assert (names(tmp_path), (tmp_path / "report.json").read_text(encoding="utf-8")) == (["report.json"], "old")


ON_A_SMALL_DISK = """
import os, subprocess, sys
from pathlib import Path
from live_dashboards.outputs.files import write_file
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", sys.argv[1]], check=True)
path = Path(sys.argv[1], "report.json")
write_file(path, lambda stream: stream.write(b"old"))
try:
    write_file(path, lambda stream: stream.write(b"x" * 200_000))
finally:
    print(os.listdir(sys.argv[1]), path.read_text())
"""

if CAN_MOUNT:

    def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path: Path) -> None:
        """On a real file system of 64 kB."""
        ended = subprocess.run([*NAMESPACE, sys.executable, "-c", ON_A_SMALL_DISK, str(tmp_path)], capture_output=True, text=True, check=False)
        assert ended.stdout.strip() == "['report.json'] old", ended.stderr
        assert "the disk is full" in ended.stderr


def test_text_that_no_encoding_holds_is_escaped(tmp_path: Path) -> None:
    write_text(tmp_path / "report.json", "−\ud800")
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == "−\\ud800"
