"""State machines of hypothesis that drive the session, the window's state and the real window by
random commands, events and clicks. Short runs are slow tests; long ones are commands, which
``tests/benchmarks/README.md`` lists."""
