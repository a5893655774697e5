"""Unified diffs: what git and diff write is applied exactly, anything else is refused with a sentence."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfgym.envs.code.patches import PatchError, apply_patch

FILES = {"a.py": b"one\ntwo\nthree\n", "dir/b.txt": b"x", "empty": b"", "crlf": b"1\r\n2\r\n"}


@pytest.mark.parametrize(
    ("patch", "after"),
    [
        ("--- a/a.py\n+++ b/a.py\n@@ -2 +2 @@\n-two\n+2\n", {"a.py": b"one\n2\nthree\n"}),
        (
            "--- a.py\t2024-01-01\n+++ a.py\t2024-01-02\n@@ -1,3 +1,2 @@ def\n one\n-two\n three\n",
            {"a.py": b"one\nthree\n"},
        ),
        ("--- a/a.py\n+++ b/a.py\n@@ -3,0 +4,1 @@\n+four\n", {"a.py": b"one\ntwo\nthree\nfour\n"}),
        ("--- a/a.py\n+++ b/a.py\n@@ -1,1 +1,1 @@\n-one\n+1\n@@ -3 +3 @@\n-three\n+3\n", {"a.py": b"1\ntwo\n3\n"}),
        (
            "--- a/dir/b.txt\n+++ b/dir/b.txt\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+y\n",
            {"dir/b.txt": b"y\n"},
        ),
        ("--- a/crlf\n+++ b/crlf\n@@ -1,2 +1,2 @@\n-1\r\n+one\r\n 2\r\n", {"crlf": b"one\r\n2\r\n"}),
        ("--- /dev/null\n+++ b/new/c\n@@ -0,0 +1 @@\n+-- x\n", {"new/c": b"-- x\n"}),
        ("diff --git a/n b/n\nnew file mode 100644\nindex 0000000..e69de29\n", {"n": b""}),
        ("diff --git a/empty b/empty\ndeleted file mode 100644\nindex e69de29..0000000\n", {"empty": None}),
        ("--- a/dir/b.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\\ No newline at end of file\n", {"dir/b.txt": None}),
        (
            "diff --git a/a.py b/c d.py\nsimilarity index 100%\nrename from a.py\nrename to c d.py\n",
            {"a.py": None, "c d.py": FILES["a.py"]},
        ),
        (
            "diff --git a/a.py b/c.py\nsimilarity index 60%\ncopy from a.py\ncopy to c.py\n"
            "--- a/a.py\n+++ b/c.py\n@@ -1 +1 @@\n-one\n+1\n",
            {"c.py": b"1\ntwo\nthree\n"},
        ),
        ('--- /dev/null\n+++ "b/\\303\\274\\t.py"\n@@ -0,0 +1 @@\n+x\n', {"ü\t.py": b"x\n"}),
        ("diff --git a/a.py b/a.py\nold mode 100644\nnew mode 100755\n", {"a.py": FILES["a.py"]}),
        ("From: me\nSubject: a mail\n\n---\n a.py | 2 +-\n", None),
        ("", {}),
    ],
)
def test_what_a_diff_says_is_done(patch, after):
    if after is None:
        with pytest.raises(PatchError, match="names no file"):
            apply_patch(FILES, patch)
    else:
        assert apply_patch(FILES, patch) == after


@pytest.mark.parametrize(
    ("patch", "sentence"),
    [
        (
            "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-two\n+2\n",
            r"a\.py, hunk 1: line 1 should be 'two\\n' but is 'one\\n'",
        ),
        (
            "--- a/a.py\n+++ b/a.py\n@@ -3,2 +3 @@\n three\n-four\n",
            r"hunk 1: line 4 should be 'four\\n' but is the end",
        ),
        ("--- a/a.py\n+++ b/a.py\n@@ -9 +9 @@\n-x\n+y\n", r"hunk 1: line 9 is not where"),
        ("--- a/a.py\n+++ b/a.py\n@@ -2 +2 @@\n-two\n+2\n@@ -1 +1 @@\n-one\n+1\n", "hunk 2: line 1 is not where"),
        ("--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-one\n", "hunk 1: the patch ends in the middle"),
        ("--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-one\n-two\n+1\n", "hunk 1: its lines are not as many"),
        ("--- a/a.py\n+++ b/a.py\n@@ one @@\n", "hunk 1: its header is '@@ one @@'"),
        ("--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-one\n?two\n", r"'\?two' is neither context nor a change"),
        ("@@ -1 +1 @@\n-one\n+1\n", "a hunk before it names a file"),
        ("--- a/z.py\n+++ b/z.py\n@@ -1 +1 @@\n-x\n+y\n", "z.py: the patch changes this file, but it does not exist"),
        ("--- /dev/null\n+++ b/a.py\n@@ -0,0 +1 @@\n+x\n", "a.py: the patch creates this file, but it exists"),
        ("--- a/a.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n", "a.py: the patch deletes this file, but not all"),
        ("--- /dev/null\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n", "names no file for a change"),
        ("--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+x\n", r"'\.\./x' does not lie inside the repository"),
        ("--- /dev/null\n+++ b//etc/x\n@@ -0,0 +1 @@\n+x\n", "'/etc/x' does not lie inside the repository"),
        ("--- /dev/null\n+++ b/.git/hooks/x\n@@ -0,0 +1 @@\n+x\n", "lies in git's own folder"),
        ("diff --git a/a.py b/../z\nrename from a.py\nrename to ../z\n", "does not lie inside the repository"),
        (
            "diff --git a/p.png b/p.png\nnew file mode 100644\nindex 0..1\nGIT binary patch\nliteral 1\n",
            "p.png: binary",
        ),
        ("diff --git a/p b/p\nindex 0..1 100644\nBinary files a/p and b/p differ\n", "p: binary patches cannot be"),
        ("diff --git a/l b/l\nnew file mode 120000\n", "l: patches of symbolic links"),
    ],
)
def test_what_cannot_be_applied_is_refused(patch, sentence):
    with pytest.raises(PatchError, match=sentence):
        apply_patch(FILES, patch)


TEXT = st.lists(
    st.sampled_from([b"a", b"b", b"", b"--- a/x", b"@@ -1 +1 @@", b"\\ No", b" x\r", b"\x0c\xff"]), max_size=12
)


@given(TEXT, TEXT, st.booleans(), st.booleans())
def test_what_git_writes_is_undone_and_done(tmp_path_factory, one, other, one_ends, other_ends):
    folder = tmp_path_factory.mktemp("diff")
    before, after = (
        b"\n".join(lines) + (b"\n" if ends else b"") for lines, ends in ((one, one_ends), (other, other_ends))
    )
    (folder / "a").write_bytes(before)
    (folder / "b").write_bytes(after)
    command = ["git", "diff", "--no-index", "--text", "--no-prefix", "a", "b"]
    patch = subprocess.run(command, cwd=folder, capture_output=True, check=False).stdout
    patch = patch.replace(b"diff --git a b", b"diff --git a/f b/f").replace(b"--- a\n+++ b\n", b"--- a/f\n+++ b/f\n", 1)
    assert apply_patch({"f": before}, patch).get("f", before) == after
