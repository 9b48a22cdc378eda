"""Twinbench: an open hybrid battery test lab on Apache Airflow 3."""
