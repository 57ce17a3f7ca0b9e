"""The worker process, which drives one session for the window.

Here: the process, its pipe, its shared memory, its end. Not here: what commands do
(`core.session`), how messages are encoded (`core.protocol`), the window's side
(`app.worker_client`). Tests: ``tests/core/engine``.
"""
