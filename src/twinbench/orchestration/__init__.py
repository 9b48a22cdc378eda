"""Where Airflow meets the rest: the only package that imports Airflow, and the place where ports get their adapters."""
