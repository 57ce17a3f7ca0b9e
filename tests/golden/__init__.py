"""Pictures as they are meant to look, compared with stored ones by a tolerance that other CPUs and
drivers stay within. ``pytest tests/golden -m "slow or not slow" --renew-golden`` stores them anew;
look at each before it is committed."""
