"""How good a result is: against held-out photos, and against a reference surface.

Here: PSNR and SSIM of a project, distances between surfaces, DTU's protocol. Not here: the formulas
of PSNR and SSIM (`core.base.image_metrics`), the speed of this machine (`core.cli.bench`), and the
measurements behind decisions (``tests/benchmarks``). Tests: ``tests/core/evaluation``.
"""
