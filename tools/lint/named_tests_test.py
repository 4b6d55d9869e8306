import pathlib
import tempfile
import unittest

import named_tests


class NamedTests(unittest.TestCase):
    def test_finds_the_three_kinds_of_names(self):
        page = "| `TestSaga`, `saga/plain.txt` | `Rules.OfTheLog` and `query_prepared`, `POST` |"
        self.assertEqual(named_tests.names_in(page), ["TestSaga", "saga/plain.txt", "Rules.OfTheLog"])

    def test_finds_the_tests_of_a_tree(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in {
                "test/interop/a_test.go": "func TestSaga(t *testing.T) {\nfunc helper() {",
                "test/golden/saga/plain.txt": "",
                "src/config/rules_test.cc": "TEST(Rules, OfTheLog) {\nTEST_F(Fixture, Works) {",
            }.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text, encoding="utf-8")
            self.assertEqual(named_tests.tests_under(root),
                             {"TestSaga", "saga/plain.txt", "Rules.OfTheLog", "Fixture.Works"})


if __name__ == "__main__":
    unittest.main()
