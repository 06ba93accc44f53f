from __future__ import annotations

from pathlib import Path

from tools.check_collected import files_with_tests


def test_files_that_define_tests_are_found_by_content_not_by_name(tmp_path: Path):
    tests = tmp_path / "tests"
    (tests / "deep" / "__pycache__").mkdir(parents=True)
    (tests / "test_right.py").write_text("def test_a(): ...\n")
    (tests / "deep" / "misnamed.py").write_text("class TestX:\n    async def test_b(self): ...\n")
    (tests / "deep" / "helper.py").write_text("def make_test_data(): ...\n# def test_in_a_comment\n")
    (tests / "deep" / "__pycache__" / "old.py").write_text("def test_c(): ...\n")
    assert files_with_tests(tests) == {"tests/test_right.py", "tests/deep/misnamed.py"}
