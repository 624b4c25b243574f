"""docs/ctypes.md: its file is compiled ahead of time, its prompts are run."""

import doctest
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import jitrun
from support import FOLDER

PAGE = pathlib.Path(FOLDER).parents[1] / "docs" / "ctypes.md"
COMMAND = os.path.join(os.environ.get("JITRUN_BUILD", ""), "jitrun")


@unittest.skipUnless(os.path.exists(COMMAND), "the command was not built")
@unittest.skipUnless(jitrun.engine_available("llvm"), "object files are LLVM's")
class Page(unittest.TestCase):
    def setUp(self):
        self.text = PAGE.read_text(encoding="utf-8")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        command = os.path.abspath(COMMAND)
        os.chdir(folder.name)
        source = re.search(r"^```python\n# norm.src\n(.*?)^```", self.text, re.M | re.S).group(1)
        pathlib.Path("norm.src").write_text(source)
        subprocess.run([command, "norm.src", "--emit", "so", "-o", "libnorm.so"], check=True)
        self.header = subprocess.run(
            [command, "norm.src", "--emit", "header"], check=True, capture_output=True, text=True
        ).stdout

    def test_prototypes(self):
        block = re.search(r"^```c\n(.*?)^```", self.text, re.M | re.S).group(1)
        for line in block.splitlines():
            self.assertIn(line, self.header)

    def test_prompts(self):
        blocks = re.findall(r"^```python\n(>>> .*?)^```", self.text, re.M | re.S)
        self.assertEqual(len(blocks), 3)
        test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "ctypes.md", None, 0)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
        self.assertGreater(len(test.examples), 15)
        self.assertEqual(runner.run(test).failed, 0)


if __name__ == "__main__":
    unittest.main()
