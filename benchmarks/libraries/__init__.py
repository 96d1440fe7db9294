"""One file per array library: its peers, and the same by uniflogits.

pairs(given, quick)  the pairs of calls to time, on the inputs given
linear(given)        pairs of calls on logits that are products
step(given)          (theirs, ours): a step of cross-entropy with its gradient, for sweeps and memory
limit_threads()      called before the first array where one thread is to be used
"""

NAMES = ("numpy", "torch", "jax", "tensorflow")
# The variables that keep a library to one thread; read when it is imported.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "UNIFLOGITS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}
