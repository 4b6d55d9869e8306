"""What include_directions.py catches, and what it lets pass."""

import pathlib
import tempfile
import unittest

import include_directions


def problems(path, text):
    return list(include_directions.problems_of_file(path, text))


class IncludeDirections(unittest.TestCase):
    def test_lets_a_folder_include_itself_and_what_it_stands_on(self):
        self.assertEqual([], problems("src/store/store.h", '#include "store/record.h"\n'
                                                           '#include "engine/engine.h"\n'
                                                           '#include "base/time.h"\n'
                                                           '#include <vector>\n'))

    def test_catches_an_include_against_the_direction(self):
        found = problems("src/engine/engine.cc", '#include "base/time.h"\n#include "store/store.h"\n')
        self.assertEqual(["src/engine/engine.cc:2: engine must not include store/store.h"], found)

    def test_base_knows_nothing_of_ours(self):
        self.assertEqual(1, len(problems("src/base/log.h", '#include "engine/engine.h"\n')))

    def test_a_system_style_include_is_no_way_around(self):
        self.assertEqual(1, len(problems("src/net/loop.cc", "#include <engine/engine.h>\n")))

    def test_neither_is_a_path_with_dots(self):
        self.assertEqual(1, len(problems("src/net/loop.cc", '#include "../engine/engine.h"\n')))

    def test_the_engine_stays_pure(self):
        for included in ("boost/asio/io_context.hpp", "sys/socket.h", "absl/status/status.h", "mutex"):
            self.assertEqual(1, len(problems("src/engine/engine.cc", f"#include <{included}>\n")),
                             included)

    def test_heavy_headers_stay_out_of_headers(self):
        for included in ("boost/beast/http.hpp", "boost/asio/ssl.hpp", "openssl/ssl.h",
                         "rocksdb/db.h", "google/protobuf/message.h", "dtm.pb.h"):
            text = f"#include <{included}>\n"
            self.assertEqual(1, len(problems("src/api/grpc_api.h", text)), included)
            self.assertEqual([], problems("src/api/grpc_api.cc", text), included)

    def test_an_internal_header_may_be_heavy_but_stays_in_its_folder(self):
        self.assertEqual([], problems("src/net/tls_internal.h", "#include <openssl/ssl.h>\n"))
        text = '#include "net/tls_internal.h"\n'
        self.assertEqual([], problems("src/net/tls.cc", text))
        self.assertEqual([], problems("src/net/http1_internal.h", text))
        self.assertEqual(1, len(problems("src/net/tls.h", text)))
        self.assertEqual(1, len(problems("src/api/grpc_api.cc", text)))

    def test_an_include_in_a_comment_does_not_count(self):
        self.assertEqual([], problems("src/base/log.h", '// #include "engine/engine.h"\n'
                                                        '/*\n#include "engine/engine.h"\n*/\n'))

    def test_only_tests_include_test_support(self):
        text = '#include "test/support/builders.h"\n'
        self.assertEqual(1, len(problems("src/store/store.cc", text)))
        self.assertEqual([], problems("src/store/store_test.cc", text))

    def test_an_unknown_folder_must_be_entered_first(self):
        self.assertEqual(1, len(problems("src/misc/things.h", "")))

    def test_finds_a_violation_in_a_tree(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "src" / "engine").mkdir(parents=True)
            (root / "src" / "engine" / "engine.cc").write_text('#include "net/loop.h"\n')
            self.assertTrue(any("engine must not include net/loop.h" in problem
                                for problem in include_directions.check(root)))

    def test_the_allowed_edges_have_no_circle(self):
        done = set()
        while len(done) < len(include_directions.ALLOWED):
            ready = {folder for folder, targets in include_directions.ALLOWED.items()
                     if folder not in done and targets <= done}
            self.assertTrue(ready, "a circle among the folders that are left")
            done |= ready


if __name__ == "__main__":
    unittest.main()
