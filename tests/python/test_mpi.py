"""Kernels over MPI: the sample, and a kernel that is sent to every process."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from support import FOLDER, needs

SAMPLE = os.path.join(FOLDER, os.pardir, os.pardir, "samples", "python", "mpi.py")

# Rank 0 makes a kernel that the others have no source file of.
PROGRAM = """
from mpi4py import MPI
import numpy as np
comm = MPI.COMM_WORLD
kernel = None
if comm.rank == 0:
    from jitrun import njit
    SCALE = 3
    def make(k):
        @njit
        def weigh(x):
            return x.sum() * SCALE + k
        return weigh
    kernel = make(comm.size)
x = np.arange(4.0) + comm.rank
for i in range(3):
    received = comm.bcast(kernel)
    result = received(x)
found = comm.gather((float(result), len(received.signatures)))
if comm.rank == 0:
    print(found)
"""


def run(processes, *args):
    """What a program prints under mpirun, which as root needs to be told that this is meant."""
    env = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    command = ["mpirun", "-n", str(processes), "--oversubscribe", sys.executable, *args]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


@needs("mpi4py", "numpy")
@unittest.skipUnless(shutil.which("mpirun"), "mpirun is not installed")
class Mpi(unittest.TestCase):
    def test_sample(self):
        alone = run(1, SAMPLE, "200", "50")
        self.assertEqual(alone[0], 0, alone)
        self.assertIn("hottest ", alone[1])
        for processes in (2, 3):
            self.assertEqual(run(processes, SAMPLE, "200", "50")[:2], alone[:2])

    def test_a_kernel_that_is_sent(self):
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "program.py")
            with open(program, "w", encoding="utf-8") as file:
                file.write(PROGRAM)
            status, out, err = run(2, program)
        # Each process compiled it once, though it came three times.
        self.assertEqual((status, out), (0, "[(20.0, 1), (32.0, 1)]\n"), err)


if __name__ == "__main__":
    unittest.main()
